"""Files that commands write for people: refused early where they cannot be, never half written."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from minorkey.aside import written_aside
from minorkey.errors import SpecError, StateError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["output_file", "require_place", "require_table_format", "write_table"]

_FORMATS = (".csv", ".parquet")


@contextmanager
def output_file(out: Path, what: str) -> Iterator[Path]:
    """Where to write an output that takes its place when the block ends.

    Raises:
        StateError: it cannot be written.
    """
    try:
        with written_aside(out) as aside:
            yield aside
    except OSError as error:
        raise _not_written(out, what, error) from None


def require_place(out: Path, what: str) -> None:
    """Refuse an output whose folder takes no file, before any work.

    Raises:
        StateError: it could not be written.
    """
    try:
        if out.is_dir():
            raise IsADirectoryError("it is a folder")
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise _not_written(out, what, error) from None


def require_table_format(out: Path) -> None:
    """Refuse a table's file whose suffix tells no format, before any work.

    Raises:
        SpecError: it is neither .csv nor .parquet.
    """
    if out.suffix.lower() not in _FORMATS:
        raise SpecError(
            "the format of the output is not known",
            key="--out",
            value=out.name,
            allowed=" or ".join(_FORMATS),
            remedy="give the file one of these suffixes",
        )


def write_table(frame: "pd.DataFrame", out: Path) -> None:
    """Write a table in the format that the file's suffix tells.

    Raises:
        StateError: it cannot be written.
    """
    with output_file(out, "output") as aside:
        if out.suffix.lower() == ".csv":
            frame.to_csv(aside, index=False)
        else:
            frame.to_parquet(aside, index=False)


def _not_written(out: Path, what: str, error: OSError) -> StateError:
    return StateError(
        f"the {what} cannot be written",
        key=str(out),
        value=error.strerror or error,
        remedy="name a file in a folder with room that exists and that you may write to",
    )
