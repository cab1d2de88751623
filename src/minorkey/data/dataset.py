"""The data set as every part after `load` sees it: canonical features, target and roles.

On disk a data set is one ``rows.parquet``: the features under their own names, and the target and
the roles under reserved names that begin with ``__``.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import xxhash

from minorkey.errors import ContractError, ShapeError

__all__ = ["MISSING", "Dataset", "Feature", "Labels", "RowIds", "Schema", "Scores"]

Labels = npt.NDArray[np.int8]
Scores = npt.NDArray[np.float64]
RowIds = npt.NDArray[np.uint64]
FeatureKind = Literal["numeric", "categorical", "datetime"]

#: How a missing category is written. A missing number or time is NaN.
MISSING = ""

_ROLES = ("weight", "entity", "event_time", "label_time", "cost")


@dataclass(frozen=True)
class Feature:
    """One feature: its name and how it is encoded.

    ``numeric``: float64, NaN where missing; booleans are 0 and 1.
    ``categorical``: str, ``MISSING`` where missing.
    ``datetime``: float64 seconds since 1970-01-01 UTC, NaN where missing.
    """

    name: str
    kind: FeatureKind


@dataclass(frozen=True)
class Schema:
    """What the columns mean. Written as ``schema.json`` and carried by the bundle."""

    features: tuple[Feature, ...]
    target: str
    positive: str
    negative: str
    roles: dict[str, str] = field(default_factory=dict)
    #: Columns of the source that are not features, each with the reason.
    left_out: dict[str, str] = field(default_factory=dict)
    #: Columns of the source behind the rows' ids, each with its kind (`minorkey.data.identity`).
    identity: dict[str, FeatureKind] = field(default_factory=dict)
    #: Options by which the source's text was read (``separator``, ``decimal``, ``encoding``, ``format``).
    reading: dict[str, str] = field(default_factory=dict)

    def names(self, kind: FeatureKind | None = None) -> list[str]:
        """Names of the features, or of those of one kind, in order."""
        return [feature.name for feature in self.features if kind in (None, feature.kind)]

    def to_json(self) -> dict[str, Any]:
        """The schema as JSON content."""
        content = dataclasses.asdict(self)
        if not self.reading:
            del content["reading"]
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The schema from JSON content."""
        features = tuple(Feature(**feature) for feature in content["features"])
        return cls(**{**content, "features": features})

    def write(self, path: Path) -> None:
        """Write ``schema.json``."""
        path.write_text(json.dumps(self.to_json(), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read ``schema.json``."""
        return cls.from_json(json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Dataset:
    """Rows in canonical form.

    Attributes:
        features: n rows, one column per feature of the schema, encoded as `Feature` says.
        y: shape (n,), 1 for the rare class.
        row_id: shape (n,), a stable hash of the row's content, features or not (equal rows get
            equal ids).
        schema: what the columns mean.
        weight: shape (n,), non-negative.
        entity: shape (n,), str.
        event_time: shape (n,), float64 seconds since 1970-01-01 UTC.
        label_time: shape (n,), float64 seconds since 1970-01-01 UTC, NaN where the label is not known yet.
        cost: shape (n,), cost of missing the row if it is positive.
    """

    features: pd.DataFrame
    y: Labels
    row_id: RowIds
    schema: Schema
    weight: npt.NDArray[np.float64] | None = None
    entity: npt.NDArray[np.object_] | None = None
    event_time: npt.NDArray[np.float64] | None = None
    label_time: npt.NDArray[np.float64] | None = None
    cost: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = len(self.y)
        lengths = {"features": len(self.features), "row_id": len(self.row_id)}
        lengths |= {name: len(values) for name, values in self._roles()}
        wrong = {name: length for name, length in lengths.items() if length != n}
        if wrong:
            raise ShapeError(f"expected {n} rows as in y, got {wrong}")
        if list(self.features.columns) != self.schema.names():
            raise ContractError(
                f"columns {list(self.features.columns)} are not the schema's {self.schema.names()}"
            )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def positives(self) -> int:
        """Number of rows of the rare class."""
        return int(self.y.sum())

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Dataset":
        """The chosen rows, in the given order.

        Args:
            rows: positions, or a mask of shape (n,).
        """
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        roles = {name: values[positions] for name, values in self._roles()}
        return Dataset(
            features=self.features.iloc[positions].reset_index(drop=True),
            y=self.y[positions],
            row_id=self.row_id[positions],
            schema=self.schema,
            **roles,
        )

    def digest(self) -> str:
        """Digest of every value, in row order, however it was written: what the fold store keys by."""
        hasher = xxhash.xxh3_128()
        meaning = dataclasses.replace(self.schema, reading={})
        hasher.update(json.dumps(meaning.to_json(), sort_keys=True).encode())
        frame = self._frame()
        hasher.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        return hasher.hexdigest()

    def rows_digest(self) -> str:
        """Digest of the target's name and of which rows these are: what the gate's ledger keys by.

        Neither order, nor labels, nor the choice of features changes it.
        """
        hasher = xxhash.xxh3_128(self.schema.target.encode())
        hasher.update(np.sort(self.row_id).astype("<u8").tobytes())
        return hasher.hexdigest()

    def write(self, path: Path) -> None:
        """Write ``rows.parquet``; the schema is written apart."""
        self._frame().to_parquet(path, index=False)

    @classmethod
    def read(cls, path: Path, schema: Schema) -> Self:
        """Read ``rows.parquet`` as written by `write`."""
        frame = pd.read_parquet(path)
        features = frame[schema.names()]
        for name in schema.names("categorical"):
            features = features.assign(**{name: features[name].astype(object)})
        roles = {
            role: frame[f"__{role}"].to_numpy(dtype=object if role == "entity" else np.float64)
            for role in _ROLES
            if f"__{role}" in frame
        }
        return cls(
            features=features,
            y=frame["__target"].to_numpy(np.int8),
            row_id=frame["__row_id"].to_numpy(np.uint64),
            schema=schema,
            **roles,
        )

    def _roles(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for name in _ROLES:
            values = getattr(self, name)
            if values is not None:
                yield name, values

    def _frame(self) -> pd.DataFrame:
        extra = {"__target": self.y, "__row_id": self.row_id}
        extra |= {f"__{name}": values for name, values in self._roles()}
        return pd.concat([self.features.reset_index(drop=True), pd.DataFrame(extra)], axis=1)
