"""A bundle that answers requests: scores, decisions and reasons."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import Scores
from minorkey.serving.columns import Columns
from minorkey.serving.protocol import OUTPUTS, InferenceRequest, tensor
from minorkey.serving.reasons import reason_codes
from minorkey.serving.samples import central_values, sample_rows

__all__ = ["Prediction", "Predictor"]


@dataclass(frozen=True)
class Prediction:
    """What the model says of n rows.

    Attributes:
        score: shape (n,), calibrated probability of the rare class.
        predicted: shape (n,), 1 where the score reaches the threshold.
        reasons: names of the k features that moved each row's score most, n lists; empty if not asked.
        effects: shape (n, k), their effects in log-odds.
    """

    score: Scores
    predicted: npt.NDArray[np.int64]
    reasons: list[list[str]] = field(default_factory=list)
    effects: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))


class Predictor:
    """One loaded bundle under a model name and version.

    Args:
        bundle: what answers.
        model: the name it is served under.
        version: its version.
    """

    def __init__(self, bundle: Bundle, model: str, version: str) -> None:
        self.bundle = bundle
        self.model = model
        self.version = version
        self.schema = bundle.info.schema
        self.threshold = float(bundle.info.threshold)
        self._centre = central_values(bundle.info)

    def predict(self, columns: Columns, reasons: int = 0) -> Prediction:
        """Score rows.

        Args:
            columns: one array of shape (n,) for each feature.
            reasons: reason codes for each row, 0 for none.
        """
        raw, score = self.bundle.score_arrays(columns)
        predicted = (score >= self.threshold).astype(np.int64)
        if not reasons:
            return Prediction(score, predicted)
        names, effects = reason_codes(self._raw_scores, columns, raw, self._centre, reasons)
        return Prediction(score, predicted, names, effects)

    def warm(self) -> None:
        """Score sample rows, so that the first request finds everything in place."""
        for rows in (1, 100):
            self.predict(sample_rows(self.bundle.info, rows), reasons=1)

    def metadata(self) -> dict[str, Any]:
        """The answer to ``GET /v2/models/MODEL``."""
        datatypes = {"numeric": "FP64", "categorical": "BYTES", "datetime": "FP64"}
        return {
            "name": self.model,
            "versions": [self.version],
            "platform": "onnx_onnxruntime",
            "inputs": [
                {"name": feature.name, "datatype": datatypes[feature.kind], "shape": [-1]}
                for feature in self.schema.features
            ],
            "outputs": [
                {"name": name, "datatype": OUTPUTS[name], "shape": [-1]} for name in ("score", "predicted")
            ],
            "parameters": self._parameters() | {"digest": self.bundle.digest},
        }

    def inference_answer(self, request: InferenceRequest, prediction: Prediction) -> dict[str, Any]:
        """The body of the answer to an inference request."""
        rows = request.rows
        tensors = {
            "score": lambda: tensor("score", prediction.score.tolist(), [rows]),
            "predicted": lambda: tensor("predicted", prediction.predicted.tolist(), [rows]),
        }
        if request.reasons:
            shape = [rows, request.reasons]
            names = [name for row in prediction.reasons for name in row]
            tensors["reasons"] = lambda: tensor("reasons", names, shape)
            tensors["reason_effects"] = lambda: tensor(
                "reason_effects", prediction.effects.ravel().tolist(), shape
            )
        answer: dict[str, Any] = {"model_name": self.model, "model_version": self.version}
        if request.id is not None:
            answer["id"] = request.id
        wanted = [name for name in request.outputs or tensors if name in tensors]
        return answer | {"outputs": [tensors[name]() for name in wanted], "parameters": self._parameters()}

    def rows_answer(self, request: InferenceRequest, prediction: Prediction) -> dict[str, Any]:
        """The body of the answer to ``POST /predict``: one object for each row."""
        predictions: list[dict[str, Any]] = [
            {"score": score, "predicted": predicted}
            for score, predicted in zip(prediction.score.tolist(), prediction.predicted.tolist(), strict=True)
        ]
        if request.reasons:
            for row, names, effects in zip(
                predictions, prediction.reasons, prediction.effects.tolist(), strict=True
            ):
                row["reasons"] = [
                    {"feature": name, "effect": effect} for name, effect in zip(names, effects, strict=True)
                ]
        head = {"model": self.model, "version": self.version}
        if request.id is not None:
            head["id"] = request.id
        return head | self._parameters() | {"predictions": predictions}

    def _parameters(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "target": self.schema.target, "positive": self.schema.positive}

    def _raw_scores(self, columns: Columns) -> Scores:
        return self.bundle.score_arrays(columns)[0]
