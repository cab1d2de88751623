"""Whether enough labels are there for a retune to learn from."""

from collections.abc import Callable

__all__ = ["Labels", "fresh_after", "labels_unknown"]

#: For a model and its champion: whether enough labels are there (None: nobody knows), and that in words.
#: Raises a StateError where whoever knows does not answer.
Labels = Callable[[str, str], tuple[bool | None, str]]


def labels_unknown(model: str, champion: str) -> tuple[bool | None, str]:
    """The answer where there is no feedback database: a retune does not wait, and the ledger says so."""
    return None, "unknown: there is no feedback database"


def fresh_after(model: str, version: str) -> float | None:
    """After which moment a version was neither trained nor adjusted on any row; None where nobody can tell.

    Args:
        model: name in the registry.
        version: of it, "" for none.

    Returns:
        Seconds since 1970, at most when the version became champion: data may be dated in the future.

    Raises:
        StateError: the registry does not answer.
    """
    from minorkey.errors import BundleError
    from minorkey.registry import champion_since, load_version

    if not version:
        return None
    try:
        info = load_version(model, version).info
    except BundleError:
        return None  # a retune replaces a champion whose bundle is gone
    ends = [info.membership.get("train_end"), *(one.get("until") for one in info.lineage.get("adjusted", ()))]
    known = [end for end in ends if end is not None]
    return min(max(known), champion_since(model, version)) if known else None
