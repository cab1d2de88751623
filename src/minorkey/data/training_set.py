"""What `preprocess` hands on: the training set to tune, and the sealed test to evaluate."""

import functools
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Dataset, Schema
from minorkey.data.partitions import Fold, Part
from minorkey.errors import ContractError, StateError

__all__ = ["TestSet", "TrainingSet"]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Training rows with their folds.

    Attributes:
        dataset: the rows.
        parts: what is tuned; positions count within `dataset`.
        membership: which rows may have been trained on, as in `Split`.
        kind: ``hash``, ``time`` or ``repeated_cv``.
        source: where the rows come from, as the specification names it.
    """

    dataset: Dataset
    parts: tuple[Part, ...]
    membership: dict[str, Any]
    kind: str
    source: str = ""

    @functools.cached_property
    def digest(self) -> str:
        """Digest of the rows, computed once."""
        return self.dataset.digest()

    def part(self, name: str) -> Part:
        """The part of that name.

        Raises:
            ContractError: there is none.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise ContractError(f"expected a part among {[part.name for part in self.parts]}, got {name!r}")

    def write(self, folder: Path) -> None:
        """Write ``rows.parquet``, ``schema.json``, ``folds.npz`` and ``split.json``, all or nothing."""
        with _replacing(folder) as aside:
            _write_dataset(self.dataset, aside)
            masks: dict[str, Any] = self._masks()
            np.savez_compressed(aside / "folds.npz", **masks)
            parts = [
                {"name": part.name, "folds": [len(folds) for folds in part.partitions]} for part in self.parts
            ]
            content = _split_content(self.kind, self.membership) | {"parts": parts, "source": self.source}
            _write_json(aside / "split.json", content)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            StateError: a file is missing or cannot be read.
        """
        with _readable(folder):
            dataset, split = _read_dataset(folder), _read_json(folder / "split.json")
            with np.load(folder / "folds.npz", allow_pickle=False) as masks:
                parts = tuple(
                    _read_part(number, entry, masks, len(dataset))
                    for number, entry in enumerate(split["parts"])
                )
        return cls(dataset, parts, split["membership"], split["kind"], split.get("source", ""))

    def _masks(self) -> dict[str, npt.NDArray[np.uint8]]:
        """Every set of positions as a packed bit mask: an eighth of a byte for each row."""
        n = len(self.dataset)
        masks = {}
        for number, part in enumerate(self.parts):
            masks[f"{number}"] = _packed(part.rows, n)
            for partition, folds in enumerate(part.partitions):
                for index, fold in enumerate(folds):
                    masks[f"{number}-{partition}-{index}-train"] = _packed(fold.train, n)
                    masks[f"{number}-{partition}-{index}-valid"] = _packed(fold.valid, n)
        return masks


@dataclass(frozen=True, eq=False)
class TestSet:
    """The sealed test, opened by `evaluate` alone.

    Attributes:
        dataset: the rows.
        membership: which rows may have been trained on, as in `Split`.
        kind: ``hash``, ``time`` or ``repeated_cv``.
        outer: shape (repeats, n), outer fold of each row; None unless ``repeated_cv``.
    """

    #: Tells pytest that this is no class of tests.
    __test__ = False

    dataset: Dataset
    membership: dict[str, Any]
    kind: str
    outer: npt.NDArray[np.int32] | None

    def write(self, folder: Path) -> None:
        """Write ``rows.parquet``, ``schema.json``, ``split.json`` and ``outer.npz``, all or nothing."""
        with _replacing(folder) as aside:
            _write_dataset(self.dataset, aside)
            _write_json(aside / "split.json", _split_content(self.kind, self.membership))
            if self.outer is not None:
                np.savez_compressed(aside / "outer.npz", outer=self.outer)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            StateError: a file is missing or cannot be read.
        """
        with _readable(folder):
            dataset, split = _read_dataset(folder), _read_json(folder / "split.json")
            outer = None
            if split["kind"] == "repeated_cv":
                with np.load(folder / "outer.npz", allow_pickle=False) as arrays:
                    outer = arrays["outer"]
        return cls(dataset=dataset, membership=split["membership"], kind=split["kind"], outer=outer)


def _packed(positions: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros(n, dtype=bool)
    mask[positions] = True
    return np.packbits(mask)


def _read_part(number: int, entry: dict[str, Any], masks: Any, n: int) -> Part:
    def positions(key: str) -> npt.NDArray[np.intp]:
        return np.flatnonzero(np.unpackbits(masks[key], count=n))

    partitions = tuple(
        tuple(
            Fold(
                positions(f"{number}-{partition}-{index}-train"),
                positions(f"{number}-{partition}-{index}-valid"),
            )
            for index in range(folds)
        )
        for partition, folds in enumerate(entry["folds"])
    )
    return Part(entry["name"], positions(f"{number}"), partitions)


def _split_content(kind: str, membership: dict[str, Any]) -> dict[str, Any]:
    return {"format": 1, "kind": kind, "membership": membership}


def _write_dataset(dataset: Dataset, folder: Path) -> None:
    dataset.write(folder / "rows.parquet")
    dataset.schema.write(folder / "schema.json")


def _read_dataset(folder: Path) -> Dataset:
    return Dataset.read(folder / "rows.parquet", Schema.read(folder / "schema.json"))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes the place of `folder` once everything is written."""
    aside = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        aside.mkdir(parents=True)
        yield aside
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    except OSError as error:
        raise StateError(
            "the rows cannot be written",
            key=str(folder),
            value=error.strerror or error,
            remedy="free space or choose another output folder",
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise StateError(
            "the rows of the preprocess step cannot be read",
            key=str(folder),
            value=error,
            remedy="run the preprocess step again",
        ) from error
