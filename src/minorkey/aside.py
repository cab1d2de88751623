"""Files that appear whole or not at all: written aside and renamed, by one writer at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["put_text", "written_aside"]


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Where to write a file that takes its place when the block ends; nothing is left if the block fails.

    Args:
        path: the file, in a folder that exists.

    Raises:
        OSError: it cannot take its place.
    """
    aside = path.with_name(f".{path.name}.partial")
    try:
        yield aside
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise


def put_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8.

    Args:
        path: the file, in a folder that exists.
        text: its content.

    Raises:
        OSError: it cannot be written.
    """
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
