"""What a server of the Open Inference Protocol tells of a model, and what it answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.errors import MinorkeyError

__all__ = ["Answer", "AnswerError", "read_answer", "score_output"]

_SCORE = "score"
_FLOATS = ("FP16", "BF16", "FP32", "FP64")


class AnswerError(MinorkeyError):
    """An answer that holds no scores for the rows that were asked about."""


@dataclass(frozen=True)
class Answer:
    """An answer to an inference request.

    Attributes:
        scores: shape (n,), of the rows in their order.
        threshold: rows with ``scores >= threshold`` are called positive.
        version: of the model, "" where the server tells none.
    """

    scores: npt.NDArray[np.float64]
    threshold: float
    version: str


def score_output(outputs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The output that holds the scores: ``score``, else the first of floating-point numbers, else None."""
    named = [one for one in outputs if one.get("name") == _SCORE]
    floating = [one for one in outputs if one.get("datatype") in _FLOATS]
    return next(iter(named + floating), None)


def read_answer(content: Any, rows: int, threshold: float) -> Answer:
    """Read an answer.

    Args:
        content: the body of the answer, as JSON.
        rows: that were asked about.
        threshold: where the server tells none, as the protocol does not ask for it.

    Raises:
        AnswerError: it holds no number for each row.
    """
    found = score_output(content.get("outputs", [])) if isinstance(content, dict) else None
    if found is None:
        raise AnswerError("no output of scores")
    try:
        # Of several columns, such as the classes' probabilities, the last is the positive class.
        scores = np.asarray(found["data"], np.float64).reshape(rows, -1)[:, -1]
    except (KeyError, TypeError, ValueError, IndexError):
        raise AnswerError("no score for each row") from None
    if not np.isfinite(scores).all():
        raise AnswerError("a score that is no number")
    told = (content.get("parameters") or {}).get("threshold")
    return Answer(scores, threshold if told is None else float(told), str(content.get("model_version", "")))
