"""What a fold's features become before a model sees them: float32, computed alike here and in ONNX.

Every step is a sequence of single IEEE operations (cast, compare, subtract, divide, floor, select), so
NumPy and onnxruntime give the same bits. `minorkey.data.preprocessing_onnx` repeats them as a graph.

Columns come in this order: numeric, differences, ratios, parts of times (all of them standardised if
the encoding scales), then missing indicators, then categories.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd

from minorkey.data.dataset import Feature, Schema
from minorkey.data.interactions import Pair, choose_pairs
from minorkey.data.levels import Levels
from minorkey.data.times import Times
from minorkey.errors import DataError
from minorkey.models.family import Encoding, Matrix

__all__ = ["FINITE", "SCALED_LIMIT", "Preprocessor"]

#: Infinities and what overflows float32 become the largest finite float32.
FINITE = float(np.finfo(np.float32).max)
#: Standardised values are cut off here.
SCALED_LIMIT = 1e6


@dataclass(frozen=True)
class Preprocessor:
    """Preprocessing fitted on the training rows of one fold. Fit with `Preprocessor.fit`.

    Attributes:
        features: the schema's features, which are the graph's inputs.
        medians: of each numeric column, what stands for a missing value.
        indicators: positions, among the numeric columns, of those with missing values in training.
        pairs: numeric columns that are subtracted and divided.
        times: what was learned of each datetime column.
        levels: what was learned of each categorical column.
        onehot: one column a level; else one column of codes.
        means: subtracted from the continuous columns; empty if the encoding does not scale.
        scales: divides the continuous columns; empty if the encoding does not scale.
    """

    features: tuple[Feature, ...]
    medians: tuple[float, ...]
    indicators: tuple[int, ...]
    pairs: tuple[Pair, ...]
    times: tuple[Times, ...]
    levels: tuple[Levels, ...]
    onehot: bool
    means: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls, features: pd.DataFrame, schema: Schema, encoding: Encoding, *, interactions: bool
    ) -> "Preprocessor":
        """Learn medians, levels, pairs and scales from training rows.

        Args:
            features: canonical features of the training rows.
            schema: what the columns mean.
            encoding: what the model family wants to see.
            interactions: add differences and ratios of numeric columns.

        Raises:
            DataError: there are no rows, no features, or a feature without a name.
        """
        _refuse_unusable(features, schema)
        numeric = [_float32(features[name]) for name in schema.names("numeric")]
        medians = tuple(_median(column) for column in numeric)
        imputed = _stack([_imputed(*pair) for pair in zip(numeric, medians, strict=True)], len(features))
        onehot = encoding.categorical == "onehot"
        unscaled = cls(
            features=schema.features,
            medians=medians,
            indicators=tuple(i for i, column in enumerate(numeric) if _partly_missing(column)),
            pairs=choose_pairs(schema.names("numeric"), imputed) if interactions else (),
            times=tuple(
                Times.fit(
                    _seconds(features[name]),
                    cyclic=encoding.scale,
                    trend=name not in schema.roles.values(),
                )
                for name in schema.names("datetime")
            ),
            levels=tuple(Levels.fit(features[name], onehot=onehot) for name in schema.names("categorical")),
            onehot=onehot,
        )
        if not encoding.scale:
            return unscaled
        means, scales = _moments(unscaled._continuous(features))
        return dataclasses.replace(unscaled, means=means, scales=scales)

    def transform(self, features: pd.DataFrame) -> Matrix:
        """The matrix of canonical features, shape (n, len(names)), C-contiguous and finite."""
        n = len(features)
        matrix = np.empty((n, len(self.names)), np.float32)
        width = 0
        for column in self._scaled(self._continuous(features)):
            matrix[:, width] = column
            width += 1
        for missing in self._missing(features):
            matrix[:, width] = missing
            width += 1
        for name, levels in zip(self._names("categorical"), self.levels, strict=True):
            codes = levels.codes(features[name])
            if self.onehot:
                matrix[:, width : width + levels.count] = 0
                matrix[np.arange(n), width + codes] = 1
                width += levels.count
            else:
                matrix[:, width] = codes
                width += 1
        return matrix

    def to_onnx(self) -> onnx.ModelProto:
        """The same as a graph: one input per feature, output ``features`` (float, [N, p])."""
        from minorkey.data.preprocessing_onnx import preprocessing_graph

        return preprocessing_graph(self)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns."""
        numeric, times = self._names("numeric"), self._names("datetime")
        names = list(numeric)
        names += [f"{numeric[pair.first]} - {numeric[pair.second]}" for pair in self.pairs]
        names += [f"{numeric[pair.first]} / {numeric[pair.second]}" for pair in self.pairs]
        for name, learned in zip(times, self.times, strict=True):
            names += [f"{name} {part}" for part in learned.parts()]
        names += [f"{numeric[position]} missing" for position in self.indicators]
        names += [
            f"{name} missing" for name, learned in zip(times, self.times, strict=True) if learned.indicator
        ]
        for name, levels in zip(self._names("categorical"), self.levels, strict=True):
            names += [f"{name} = {label}" for label in levels.labels()] if self.onehot else [name]
        return tuple(names)

    @property
    def categorical(self) -> tuple[tuple[int, int], ...]:
        """(column, levels) of each ordinal-coded column; empty under one-hot coding."""
        if self.onehot:
            return ()
        first = len(self.names) - len(self.levels)
        return tuple((first + position, levels.count) for position, levels in enumerate(self.levels))

    @property
    def digest(self) -> str:
        """Digest by which equal preprocessors are known."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """The preprocessor as JSON content."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The preprocessor from JSON content."""
        return cls(
            features=tuple(Feature(**feature) for feature in content["features"]),
            medians=tuple(content["medians"]),
            indicators=tuple(content["indicators"]),
            pairs=tuple(Pair(**pair) for pair in content["pairs"]),
            times=tuple(Times(**times) for times in content["times"]),
            levels=tuple(Levels(kept=tuple(levels["kept"])) for levels in content["levels"]),
            onehot=content["onehot"],
            means=tuple(content["means"]),
            scales=tuple(content["scales"]),
        )

    def _names(self, kind: str) -> list[str]:
        return [feature.name for feature in self.features if feature.kind == kind]

    def _continuous(self, features: pd.DataFrame) -> list[npt.NDArray[np.float32]]:
        numeric = [
            _imputed(_float32(features[name]), median)
            for name, median in zip(self._names("numeric"), self.medians, strict=True)
        ]
        with np.errstate(over="ignore"):
            differences = [numeric[pair.first] - numeric[pair.second] for pair in self.pairs]
            ratios = [
                numeric[pair.first] / (np.abs(numeric[pair.second]) + np.float32(pair.epsilon))
                for pair in self.pairs
            ]
        derived = [_bounded(column, FINITE) for column in differences + ratios]
        parts = [
            part.astype(np.float32)
            for name, learned in zip(self._names("datetime"), self.times, strict=True)
            for part in learned.parts(_seconds(features[name])).values()
        ]
        return numeric + derived + parts

    def _scaled(self, columns: list[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        if not self.means:
            return columns
        with np.errstate(over="ignore"):
            return [
                _bounded((column - np.float32(mean)) / np.float32(scale), SCALED_LIMIT)
                for column, mean, scale in zip(columns, self.means, self.scales, strict=True)
            ]

    def _missing(self, features: pd.DataFrame) -> list[npt.NDArray[np.bool_]]:
        numeric = self._names("numeric")
        names = [numeric[position] for position in self.indicators]
        names += [
            name
            for name, learned in zip(self._names("datetime"), self.times, strict=True)
            if learned.indicator
        ]
        return [np.isnan(_seconds(features[name])) for name in names]


def _refuse_unusable(features: pd.DataFrame, schema: Schema) -> None:
    if not schema.features:
        raise DataError("no features are left", allowed="at least one feature column", remedy="see data.keep")
    if "" in schema.names():
        raise DataError("a feature has no name", key="data", remedy="give every column a header")
    if not len(features):
        raise DataError("there are no training rows", key="split", value=0, allowed="at least one row")


def _seconds(column: pd.Series) -> npt.NDArray[np.float64]:
    return column.to_numpy(np.float64)


def _float32(column: pd.Series) -> npt.NDArray[np.float32]:
    """The column as float32 without infinities; missing stays NaN."""
    return np.clip(_seconds(column), -FINITE, FINITE).astype(np.float32)


def _bounded(column: npt.NDArray[Any], limit: float) -> npt.NDArray[np.float32]:
    return np.clip(column, -np.float32(limit), np.float32(limit), dtype=np.float32)


def _imputed(column: npt.NDArray[np.float32], median: float) -> npt.NDArray[np.float32]:
    return np.where(np.isnan(column), np.float32(median), column)


def _median(column: npt.NDArray[np.float32]) -> float:
    present = column[~np.isnan(column)].astype(np.float64)
    return float(np.float32(np.median(present))) if len(present) else 0.0


def _partly_missing(column: npt.NDArray[np.float32]) -> bool:
    missing = np.isnan(column)
    return bool(missing.any() and not missing.all())


def _stack(columns: list[npt.NDArray[np.float32]], rows: int) -> npt.NDArray[np.float32]:
    return np.column_stack(columns) if columns else np.empty((rows, 0), np.float32)


def _moments(columns: list[npt.NDArray[np.float32]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each column as float32 values; a constant column has scale 1."""
    means = [float(np.float32(column.mean(dtype=np.float64))) for column in columns]
    scales = [np.float32(min(column.std(dtype=np.float64), FINITE)) for column in columns]
    usable = [float(scale) if scale > np.finfo(np.float32).tiny else 1.0 for scale in scales]
    return tuple(means), tuple(usable)
