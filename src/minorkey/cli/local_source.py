"""Whether the file that a command is to read is there, asked before any work."""

from pathlib import Path

__all__ = ["check_local_source"]

_CATALOGUES = ("openml:", "sklearn:", "builtin:")
_LOCAL = "file://"


def check_local_source(source: str) -> None:
    """Refuse a path on this machine from which no row can be read; say nothing of any other source.

    Args:
        source: as ``data.source`` names it.

    Raises:
        DataError: the file is missing (with the nearest name there), empty, a folder, or may not be read.
    """
    place = source.removeprefix(_LOCAL)
    if "://" in place or (place == source and source.startswith(_CATALOGUES)):
        return
    try:
        with Path(place).expanduser().open("rb") as stream:
            if stream.read(1):
                return
    except OSError:
        pass
    # Only a file that is at fault costs the import of what reads them all.
    from minorkey.data.sources.files import open_source

    with open_source(place):
        return
