"""One fitted member of what may ship: its graph, and its scores on rows it did not see."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from minorkey.bundle.members import check_parity, member_graph
from minorkey.data.dataset import Scores
from minorkey.data.fold_store import FoldStore, PreparedFold
from minorkey.data.training_set import TrainingSet
from minorkey.errors import StateError
from minorkey.models import family
from minorkey.models.family import FittedModel
from minorkey.trials.executor import NotANumberError
from minorkey.trials.fitting import fit_prepared
from minorkey.trials.study_root import StudyRoot
from minorkey.trials.trial import Configuration

__all__ = ["Member", "find_member", "fit_member", "member_key"]

#: Rows on which graph and fitted model are compared.
_PARITY_ROWS = 2_000


@dataclass(frozen=True)
class Member:
    """A member as the study root holds it.

    Attributes:
        key: key of its graph (``members/<part>/<configuration>/<partition>-<fold>.onnx``).
        scores: raw scores of the fold's validation rows, in the order of ``fold.valid``; None for a
            member that was fitted on all rows.
        seconds: wall-clock seconds of fit, export and check.
    """

    key: str
    scores: Scores | None
    seconds: float

    def graph(self, root: StudyRoot) -> onnx.ModelProto:
        """Its graph, from raw inputs to ``score``."""
        content = root.get(self.key)
        if content is None:
            raise StateError("a fitted member is missing", key=self.key, remedy="run the same command again")
        return onnx.load_model_from_string(content)


def member_key(part: str, configuration: Configuration, partition: int, fold: int | None) -> str:
    """Key of a member's graph."""
    which = "all" if fold is None else str(fold)
    return f"members/{part}/{configuration.digest()}/{partition}-{which}.onnx"


def find_member(root: StudyRoot, key: str) -> Member | None:
    """The finished member of that key, None if there is none."""
    content = root.get(_record_key(key))
    if content is None:
        return None
    record: dict[str, Any] = json.loads(content)
    scores = record["scores"]
    return Member(
        key=key,
        scores=None if scores is None else np.frombuffer(base64.b64decode(scores), "<f8"),
        seconds=record["seconds"],
    )


def fit_member(
    training: TrainingSet,
    part: str,
    partition: int,
    fold: int | None,
    configuration: Configuration,
    *,
    store: FoldStore,
    root: StudyRoot,
    seed: int,
    threads: int,
) -> Member:
    """Fit, export to ONNX, check that the graph scores alike, and keep it; a finished one is found again.

    Args:
        training: the training set.
        part: name of the part.
        partition: fold partition of the part.
        fold: index of the fold, None to fit on all rows of the part.
        configuration: what to fit.
        store: prepared folds.
        root: where graph and scores are put; the record is put last, so that it marks the end.
        seed: seed of resampling and fit.
        threads: most threads to use.

    Raises:
        ContractError: the graph scores differently from the fitted model.
        NotANumberError: the model's scores are not numbers.
    """
    key = member_key(part, configuration, partition, fold)
    finished = find_member(root, key)
    if finished is not None:
        return finished
    started = time.monotonic()
    encoding = family(configuration.family).encoding
    prepared = store.prepare(training, part, partition, fold, configuration, encoding=encoding, seed=seed)
    model = fit_prepared(prepared, configuration, seed=seed, threads=threads)
    graph = member_graph(prepared.preprocessor, model)
    scores = None if fold is None else np.asarray(model.score(prepared.x_valid), dtype="<f8")
    if scores is not None and not np.isfinite(scores).all():
        raise NotANumberError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are not numbers")
    _check(training, part, partition, fold, prepared, model, graph)
    root.put_if_absent(key, graph.SerializeToString())
    seconds = time.monotonic() - started
    encoded = None if scores is None else base64.b64encode(scores.tobytes()).decode()
    root.put_if_absent(_record_key(key), json.dumps({"scores": encoded, "seconds": seconds}).encode())
    return Member(key=key, scores=scores, seconds=seconds)


def _check(
    training: TrainingSet,
    part: str,
    partition: int,
    fold: int | None,
    prepared: PreparedFold,
    model: FittedModel,
    graph: onnx.ModelProto,
) -> None:
    """Compare graph and model on validation rows, or on rows of the training set where there are none."""
    rows = training.part(part).rows if fold is None else training.part(part).partitions[partition][fold].valid
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), _PARITY_ROWS)).astype(np.intp)
    features = training.dataset.features.iloc[rows[chosen]].reset_index(drop=True)
    check_parity(graph, features, model.score(prepared.preprocessor.transform(features)))


def _record_key(key: str) -> str:
    return key.removesuffix(".onnx") + ".json"
