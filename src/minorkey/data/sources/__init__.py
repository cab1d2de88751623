"""Where rows come from: one file a kind of source, one function that picks it."""

from collections.abc import Callable
from typing import BinaryIO

import pandas as pd

from minorkey.data.sources.columnar import read_npz, read_parquet
from minorkey.data.sources.delimited import read_delimited
from minorkey.data.sources.files import open_source, suffix_of
from minorkey.data.sources.table import Limits, Options, Table
from minorkey.errors import DataError

__all__ = ["Limits", "Table", "read_frame", "read_table", "reading_of", "reading_options"]

#: Options that tell how values are written as text, and not which rows there are.
_READING = ("separator", "decimal", "encoding", "format")

_READERS: dict[str, Callable[[BinaryIO, str, Options, Limits], Table]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".tab": read_delimited,
    ".txt": read_delimited,
    ".parquet": read_parquet,
    ".pq": read_parquet,
    ".npz": read_npz,
}


def read_frame(source: str, options: Options) -> pd.DataFrame:
    """The raw rows of a source, at its default limits.

    Args:
        source: a path or fsspec URI of CSV, TSV, Parquet or npz; ``openml:ID``; ``sklearn:NAME``;
            ``builtin:cards``.
        options: the source's own options; for files ``format`` overrides the suffix.

    Raises:
        DataError: the source cannot be read, is empty, or breaks a limit.
    """
    return read_table(source, options, Limits()).frame


def reading_of(options: Options) -> dict[str, str]:
    """Of a source's options those that tell how its text is read."""
    return {name: str(options[name]) for name in _READING if name in options}


def reading_options(source: str, recorded: Options) -> dict[str, str]:
    """The options by which one file was read, as far as they mean something for another file.

    A format is taken only where the suffix tells none, a separator not for TSV, and nothing for a file that
    is no text.

    Args:
        source: a path or URI.
        recorded: what `reading_of` gave for the first file.
    """
    suffix, options = suffix_of(source), reading_of(recorded)
    told = options.pop("format", None)
    if suffix not in _READERS and told is not None:
        return {"format": told, **(options if _READERS.get(f".{told}") is read_delimited else {})}
    if _READERS.get(suffix) is not read_delimited:
        return {}
    if suffix in (".tsv", ".tab"):
        options.pop("separator", None)
    return options


def read_table(source: str, options: Options, limits: Limits) -> Table:
    """The raw rows of a source and what it knows about its columns; the header is checked first.

    Raises:
        DataError: the source cannot be read, is empty, or breaks a limit.
    """
    scheme, _, name = source.partition(":")
    if scheme in ("openml", "sklearn", "builtin") and not name.startswith("//"):
        from minorkey.data.sources import catalogues

        named = {
            "openml": catalogues.read_openml,
            "sklearn": catalogues.read_sklearn,
            "builtin": catalogues.read_cards,
        }
        return named[scheme](name, options, limits)
    suffix = f".{options['format']}" if "format" in options else suffix_of(source)
    if suffix not in _READERS:
        raise DataError(
            "the format of the source is not known",
            key="data.options.format" if "format" in options else "data.source",
            value=options.get("format", source),
            allowed=", ".join(sorted(_READERS)) + " (also compressed, e.g. .csv.gz)",
            remedy="give the file such a suffix, or set data.options.format, e.g. csv",
        )
    with open_source(source) as stream:
        return _READERS[suffix](stream, source, options, limits)
