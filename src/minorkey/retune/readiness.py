"""Whether enough labels are there for a retune to learn from."""

from collections.abc import Callable

__all__ = ["Labels", "labels_unknown"]

#: For a model: whether enough labels are there (None: nobody knows), and that in words.
#: Raises a StateError where whoever knows does not answer.
Labels = Callable[[str], tuple[bool | None, str]]


def labels_unknown(model: str) -> tuple[bool | None, str]:
    """The answer where there is no feedback database: a retune does not wait, and the ledger says so."""
    return None, "unknown: there is no feedback database"
