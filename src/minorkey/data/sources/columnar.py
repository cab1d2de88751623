"""Parquet and NumPy archives."""

import zipfile
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.sources.table import Limits, Options, Table, check_cells, check_header, check_options
from minorkey.errors import DataError

__all__ = ["read_npz", "read_parquet"]


def read_parquet(stream: BinaryIO, source: str, options: Options, limits: Limits) -> Table:
    """Read one Parquet file; the footer is checked before any row is read.

    Raises:
        DataError: not Parquet, no rows, duplicate names, too many columns, or a cell too long.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_options(options, ("format",), source)
    try:
        file = pq.ParquetFile(stream)
        check_header(list(file.schema_arrow.names), source, limits)
        if not file.metadata.num_rows:
            raise DataError("the file has no rows", key=source, value="0 rows", allowed="at least one row")
        frame = file.read().to_pandas(date_as_object=False)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            "the file is not valid Parquet", key=source, value=error, allowed="one whole Parquet file"
        ) from None
    named = frame.index.names != [None]
    frame = frame.reset_index(drop=not named)
    check_cells(frame, source, limits)
    return Table(frame)


def read_npz(stream: BinaryIO, source: str, options: Options, limits: Limits) -> Table:
    """Read a NumPy archive: arrays ``X`` and ``y``, or one named array a column (2-D: several).

    ``feature_names``, where present, names the columns of ``X``. The target is ``y`` where that exists.

    Raises:
        DataError: not an archive, object arrays (they would need pickle), or lengths that differ.
    """
    check_options(options, ("format",), source)
    try:
        with np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise DataError(
            "the file is not a NumPy archive of plain arrays",
            key=source,
            value=error,
            allowed="arrays of numbers or strings, written by numpy.savez",
        ) from None
    names = arrays.pop("feature_names", None)
    check_header(_columns(arrays, names), source, limits)
    lengths = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise DataError(
            "the arrays need one and the same number of rows",
            key=source,
            value=lengths or "no arrays",
            allowed="arrays X and y, or one named array a column",
        )
    series = [column for array in arrays.values() for column in _split(array, source)]
    frame = pd.DataFrame(dict(zip(_columns(arrays, names), series, strict=True)))
    check_cells(frame, source, limits)
    return Table(frame, target="y" if "y" in frame else None)


def _columns(arrays: dict[str, npt.NDArray[Any]], names: npt.NDArray[Any] | None) -> list[str]:
    columns: list[str] = []
    for key, array in arrays.items():
        width = array.shape[1] if array.ndim == 2 else 1
        if key == "X" and names is not None and len(names) == width:
            columns += [str(name) for name in names]
        elif array.ndim == 2 and (width > 1 or key == "X"):
            columns += [f"{key.lower()}{position}" for position in range(width)]
        else:
            columns.append(key)
    return columns


def _split(array: npt.NDArray[Any], source: str) -> list[npt.NDArray[Any]]:
    if array.ndim not in (1, 2):
        raise DataError("an array has too many dimensions", key=source, value=array.shape, allowed="1 or 2")
    return [array] if array.ndim == 1 else list(array.T)
