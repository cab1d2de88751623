"""Opening a local path or any fsspec URI, with every failure as a `DataError`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import fsspec

from minorkey.data.sources.table import did_you_mean
from minorkey.errors import DataError

__all__ = ["open_source", "suffix_of"]

_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")


def suffix_of(source: str) -> str:
    """The suffix that tells the format, e.g. ``.csv`` of ``s3://bucket/rows.csv.gz``."""
    path = Path(source.split("?")[0].rstrip("/"))
    return Path(path.stem).suffix.lower() if path.suffix.lower() in _COMPRESSED else path.suffix.lower()


@contextmanager
def open_source(source: str) -> Iterator[BinaryIO]:
    """Open a path or fsspec URI for reading bytes; compression is told by the suffix.

    Raises:
        DataError: the source is missing, is a folder, is empty, may not be read, or its protocol is
            unknown or needs a package that is not installed.
    """
    place = source if "://" in source else str(Path(source).expanduser())
    try:
        with fsspec.open(place, "rb", compression="infer") as stream:
            if not stream.read(1):
                raise DataError("the file is empty", key=source, value="0 bytes", allowed="a header and rows")
            stream.seek(0)
            yield stream
    except FileNotFoundError:
        raise DataError(
            "the file does not exist", key="data.source", value=source, remedy=_nearby(place)
        ) from None
    except IsADirectoryError:
        raise DataError(
            "this is a folder", key="data.source", value=source, allowed="a file", remedy="name the file"
        ) from None
    except ImportError as error:
        raise DataError(
            "a package for this kind of source is not installed",
            key="data.source",
            value=f"{source}: {error}",
            remedy="for s3:// install minorkey[s3]; for others the package that the message names",
        ) from None
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(
            "the file cannot be read",
            key="data.source",
            value=f"{source}: {reason}",
            remedy="check the path, its permissions and, for a URI, the network and credentials",
        ) from None
    except ValueError as error:
        if "Protocol not known" not in str(error):
            raise
        raise DataError(
            "the protocol of the source is unknown",
            key="data.source",
            value=source,
            allowed="a path, an fsspec URI (file://, memory://, s3://, https://), openml:ID, sklearn:NAME, "
            "builtin:cards",
        ) from None


def _nearby(place: str) -> str:
    if "://" in place:
        return "check the URI"
    path = Path(place)
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    return did_you_mean(path.name, siblings) or f"check the path (looked in {path.parent.absolute()})"
