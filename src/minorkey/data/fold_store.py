"""What trials need of a fold, computed once and memory-mapped by all of them."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import minorkey.resampling
from minorkey.data.array_store import ArrayStore, Entry
from minorkey.data.dataset import Dataset, Labels
from minorkey.data.one_hot import blocks_from_codes, codes_from_blocks
from minorkey.data.partitions import Positions
from minorkey.data.preprocessing import Preprocessor
from minorkey.data.recency import recency_weights
from minorkey.data.training_set import TrainingSet
from minorkey.errors import ContractError, DataError
from minorkey.models.family import Encoding, Matrix
from minorkey.resampling import resampler
from minorkey.trials.trial import Configuration

__all__ = ["FoldStore", "PreparedFold"]

Weights = npt.NDArray[np.float64]

#: What the stored arrays depend on beside their inputs.
_PACKAGES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn")


@dataclass(frozen=True)
class PreparedFold:
    """One fold as a model sees it.

    Attributes:
        x_train: shape (n, p), float32, read-only, preprocessed and resampled.
        y_train: shape (n,).
        w_train: shape (n,), row weights and recency together, scaled to mean 1; resampled rows weigh 1.
        x_valid: shape (m, p), float32, read-only, never resampled; m is 0 for a refit.
        y_valid: shape (m,).
        w_valid: shape (m,), row weights scaled to mean 1.
        preprocessor: fitted on the fold's training rows alone.
    """

    x_train: Matrix
    y_train: Labels
    w_train: Weights
    x_valid: Matrix
    y_valid: Labels
    w_valid: Weights
    preprocessor: Preprocessor


class FoldStore:
    """Prepared folds, content-addressed and shared by every process on the node.

    Args:
        root: folder of the store; made when first needed.
        max_bytes: the least recently used folds are forgotten beyond this size.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self._arrays = ArrayStore(root, max_bytes)

    def prepare(
        self,
        training: TrainingSet,
        part: str,
        partition: int,
        fold: int | None,
        configuration: Configuration,
        *,
        encoding: Encoding,
        seed: int,
    ) -> PreparedFold:
        """A fold as the configuration wants it, from the store or computed now.

        Args:
            training: the training set.
            part: name of the part.
            partition: 0 for the search, 1 for the choice among finalists.
            fold: index in the partition; None: every row of the part is trained on.
            configuration: what decides on interactions, resampling, training window and recency. The last
                makes weights alone, so that configurations of every half-life share one matrix.
            encoding: what the model family wants to see of the columns.
            seed: seed of a random resampler.

        Raises:
            ContractError: the configuration both resamples and weighs by recency.
            DataError: the configuration's training window leaves a class empty, or it asks for recency of
                rows without an event time.
            SpecError: the resampler is unknown.
            StateError: the store cannot be written.
        """
        if configuration.resampler != "none" and configuration.recency_half_life is not None:
            raise ContractError("rows that a resampler makes have no age: it cannot be combined with recency")
        train, valid = _rows(training, part, partition, fold)
        if configuration.train_window is not None:
            end = training.membership.get("train_end") if fold is None else None
            train = _inside_window(training, train, configuration.train_window, end)
        data, base = training.dataset, self._preprocessed(training, train, valid, configuration, encoding)
        preprocessor = Preprocessor.from_json(base.meta)
        x_train, y_train = base.arrays["train"], data.y[train]
        w_train = _mean_one(_training_weight(training, train, configuration.recency_half_life))
        if configuration.resampler != "none":
            resampled = self._resampled(base, y_train, preprocessor, configuration, seed)
            x_train, y_train = resampled.arrays["x"], resampled.arrays["y"]
            w_train = np.ones(len(y_train))
        return PreparedFold(
            x_train=x_train,
            y_train=y_train,
            w_train=w_train,
            x_valid=base.arrays["valid"],
            y_valid=data.y[valid],
            w_valid=_mean_one(_weight(data, valid)),
            preprocessor=preprocessor,
        )

    def _preprocessed(
        self,
        training: TrainingSet,
        train: Positions,
        valid: Positions,
        configuration: Configuration,
        encoding: Encoding,
    ) -> Entry:
        def compute() -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
            features, schema = training.dataset.features, training.dataset.schema
            fitted_on = features.iloc[train]
            preprocessor = Preprocessor.fit(
                fitted_on, schema, encoding, interactions=configuration.interactions
            )
            arrays = {
                "train": preprocessor.transform(fitted_on),
                "valid": preprocessor.transform(features.iloc[valid]),
            }
            return arrays, preprocessor.to_json()

        content = {
            "code": _code_digest(),
            "data": training.digest,
            "train": _digest(train),
            "valid": _digest(valid),
            "encoding": dataclasses.asdict(encoding),
            "interactions": configuration.interactions,
        }
        return self._arrays.get(_key(content), compute)

    def _resampled(
        self,
        base: Entry,
        y: Labels,
        preprocessor: Preprocessor,
        configuration: Configuration,
        seed: int,
    ) -> Entry:
        chosen = resampler(configuration.resampler)

        def compute() -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
            x, categorical = base.arrays["train"], preprocessor.categorical
            blocks = [levels.count for levels in preprocessor.levels] if preprocessor.onehot else []
            if blocks:
                x, categorical = codes_from_blocks(x, blocks)
            x, labels = chosen.resample(x, y, categorical, configuration.resampling, seed=seed)
            if blocks:
                x = blocks_from_codes(x, blocks)
            arrays: dict[str, npt.NDArray[Any]] = {
                "x": np.asarray(x, dtype=np.float32),
                "y": np.asarray(labels, dtype=np.int8),
            }
            return arrays, {}

        content = {
            "base": base.key,
            "resampler": configuration.resampler,
            "params": configuration.resampling,
            "seed": None if chosen.deterministic else seed,
        }
        return self._arrays.get(_key(content), compute)


def _rows(training: TrainingSet, part: str, partition: int, fold: int | None) -> tuple[Positions, Positions]:
    chosen = training.part(part)
    if fold is None:
        return chosen.rows, np.empty(0, dtype=np.intp)
    rows = chosen.partitions[partition][fold]
    return rows.train, rows.valid


def _inside_window(training: TrainingSet, train: Positions, window: float, end: float | None) -> Positions:
    """Training rows of the last `window` seconds before the end of training."""
    event = training.dataset.event_time
    if event is None:
        raise DataError(
            "a training window needs the event time of the rows",
            key="split.train_windows",
            allowed="windows only where data.event_time names a column",
            remedy="set data.event_time, or leave split.train_windows out",
        )
    inside = train[event[train] >= (event[train].max() if end is None else end) - window]
    positives = int(training.dataset.y[inside].sum())
    if not 0 < positives < len(inside):
        raise DataError(
            "the training window leaves one class only",
            key="split.train_windows",
            value=f"{positives:,} positives in {len(inside):,} rows of the last {window:g} seconds",
            remedy="ask for longer windows",
        )
    return inside


def _training_weight(training: TrainingSet, train: Positions, half_life: float | None) -> Weights:
    """Row weights of training rows; validation rows are never weighed by recency."""
    weight = _weight(training.dataset, train)
    if half_life is None:
        return weight
    event = training.dataset.event_time
    if event is None:
        raise DataError(
            "weights by recency need the event time of the rows",
            key="search.recency_half_lives",
            allowed="half-lives only where data.event_time names a column",
            remedy="set data.event_time, or leave search.recency_half_lives out",
        )
    return weight * recency_weights(event[train], half_life)


def _weight(data: Dataset, rows: Positions) -> Weights:
    return np.ones(len(rows)) if data.weight is None else data.weight[rows]


def _mean_one(weight: Weights) -> Weights:
    if not len(weight) or weight.sum() == 0:
        return np.ones(len(weight))
    return np.asarray(weight / weight.mean())


def _key(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:40]


def _digest(rows: Positions) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).hexdigest()


@functools.cache
def _code_digest() -> str:
    """Digest of the code that computes the arrays, so that a changed version never meets old ones."""
    hasher = hashlib.sha256()
    here = Path(__file__).parent
    for folder in (here, Path(minorkey.resampling.__file__).parent):
        for path in sorted(folder.glob("*.py")):
            hasher.update(path.read_bytes())
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    hasher.update(json.dumps(versions, sort_keys=True).encode())
    return hasher.hexdigest()
