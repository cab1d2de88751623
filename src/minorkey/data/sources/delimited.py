"""CSV and TSV: the header is checked first, then every byte once, and only then is the file parsed."""

import codecs
import csv
import io
import warnings
from typing import BinaryIO

import numpy as np
import pandas as pd

from minorkey.data.sources.decimal_commas import parse_commas, tells_decimal_comma
from minorkey.data.sources.files import suffix_of
from minorkey.data.sources.table import (
    Limits,
    Options,
    Table,
    cell_too_long,
    check_cells,
    check_header,
    check_options,
)
from minorkey.errors import DataError

__all__ = ["read_delimited"]

_BLOCK = 8 * 2**20
_HEAD = 4 * 2**20
_OPTIONS = ("separator", "encoding", "decimal", "format")


def read_delimited(stream: BinaryIO, source: str, options: Options, limits: Limits) -> Table:
    """Read delimited text with a header line.

    Args:
        stream: the open file.
        source: its name, for messages.
        options: ``separator`` (default: told from the header), ``encoding`` (default UTF-8),
            ``decimal`` (default a point; a comma where semicolons separate and the numbers leave no doubt).
        limits: what the header and the cells have to satisfy.

    Raises:
        DataError: wrong encoding, header only, duplicate names, too many columns, a cell too long,
            or rows that do not fit the header.
    """
    check_options(options, _OPTIONS, source)
    encoding = _codec(str(options.get("encoding", "utf-8-sig")))
    head = _head(stream, encoding, source)
    separator = str(options.get("separator", "")) or _separator(head, source)
    check_header(_header(head, separator, source, limits), source, limits)
    stream.seek(0)
    _check_bytes(stream, encoding, separator, source, limits)
    stream.seek(0)
    decimal = str(options.get("decimal", "."))
    frame = _parse(stream, encoding, separator, decimal, source)
    told = "decimal" not in options and separator == ";" and tells_decimal_comma(frame)
    if told:
        decimal = ","
        stream.seek(0)
        frame = _parse(stream, encoding, separator, decimal, source)
    if decimal == ",":
        frame = parse_commas(frame)
    if not len(frame):
        raise DataError(
            "the file has a header and no rows", key=source, value="0 rows", allowed="a header and rows"
        )
    check_cells(frame, source, limits)
    return Table(frame, reading={"decimal": decimal} if told else {})


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise DataError(
            "the encoding is unknown",
            key="data.options.encoding",
            value=encoding,
            allowed="a name that Python knows, e.g. utf-8, latin-1, cp1252, utf-16",
        ) from None
    return "utf-8-sig" if name == "utf-8" else name


def _head(stream: BinaryIO, encoding: str, source: str) -> str:
    """The beginning of the file as text: its first line, or more where that line has quotes."""
    head = stream.read(_HEAD)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head).lstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _not_encoded(encoding, source, 1 + head[: error.start].count(b"\n"), error) from None
    if not text.strip():
        raise DataError("the file holds only blank lines", key=source, allowed="a header and rows")
    first = text.split("\n", 1)[0]
    return text if '"' in first else first


def _separator(head: str, source: str) -> str:
    if suffix_of(source) in (".tsv", ".tab"):
        return "\t"
    line = head.split("\n", 1)[0]
    return "," if "," in line else max(",;\t|", key=line.count)


def _header(head: str, separator: str, source: str, limits: Limits) -> list[str]:
    try:
        names = next(csv.reader(io.StringIO(head, newline=""), delimiter=separator, skipinitialspace=True))
    except (csv.Error, TypeError) as error:
        raise DataError(
            "the header line cannot be read",
            key=source,
            value=error,
            allowed="column names and a separator of one character",
        ) from None
    longest = max((len(name) for name in names), default=0)
    if longest > limits.max_cell_bytes:
        raise cell_too_long(source, "header", longest, limits)
    blank = (f"Unnamed: {position}" for position in range(len(names)))
    return [name.strip("\r") or unnamed for name, unnamed in zip(names, blank, strict=True)]


def _check_bytes(stream: BinaryIO, encoding: str, separator: str, source: str, limits: Limits) -> None:
    """Check the encoding of every byte, and that no two separators are too far apart."""
    decoder = codecs.getincrementaldecoder(encoding)()
    breaks = [ord("\n"), *(separator.encode()[:1] if len(separator) == 1 else b"")]
    # The stretch without a break that goes on: its bytes so far, and the line that it began in.
    lines, stretch, begun = 0, 0, 1
    while block := stream.read(_BLOCK):
        codes = np.frombuffer(block, dtype=np.uint8)
        newlines = codes == ord("\n")
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            line = 1 + lines + int(newlines[: error.start].sum())
            raise _not_encoded(encoding, source, line, error) from None
        ends = np.flatnonzero(np.isin(codes, breaks))
        lengths = np.diff(ends, prepend=-1 - stretch) - 1
        stretch = len(codes) - 1 - int(ends[-1]) if len(ends) else stretch + len(codes)
        lengths = np.append(lengths, stretch)
        if lengths.max() > limits.max_cell_bytes:
            longest = int(lengths.argmax())
            if longest > 0:
                begun = 1 + lines + int(newlines[: ends[longest - 1] + 1].sum())
            raise cell_too_long(source, f"line {begun}", int(lengths[longest]), limits)
        lines += int(newlines.sum())
        if len(ends):
            begun = 1 + lines


def _not_encoded(encoding: str, source: str, line: int, error: UnicodeDecodeError) -> DataError:
    return DataError(
        f"the file is not encoded as {encoding.removesuffix('-sig')}",
        key=f"{source}, line {line}",
        value=f"byte 0x{error.object[error.start]:02x}",
        allowed="UTF-8, or the encoding given as data.options.encoding",
        remedy="set data.options.encoding (often latin-1, cp1252 or utf-16), or save the file as UTF-8",
    )


def _parse(stream: BinaryIO, encoding: str, separator: str, decimal: str, source: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                stream,
                sep=separator,
                encoding=encoding,
                decimal=decimal,
                index_col=False,
                skipinitialspace=True,
                na_values=["?"],
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        raise DataError(
            "the rows do not fit the header",
            key=source,
            value=str(error).strip(),
            allowed=f"rows with as many fields as the header, separated by {separator!r}",
            remedy="set data.options.separator, or mend the line that the message names",
        ) from None
