"""Secrets come from files that are mounted or written beside: read at the moment of use, never logged."""

from pathlib import Path

from minorkey.errors import StateError

__all__ = ["read_secret"]


def read_secret(file: Path, what: str, *, key: str, remedy: str = "") -> str:
    """The text of a file with a token or a password, without white space around it.

    Args:
        file: the file.
        what: it holds, for the message: "the token", say.
        key: the option, variable or file that names it.
        remedy: how one comes by such a file.

    Raises:
        StateError: the file cannot be read, or is empty.
    """
    allowed = "a file that holds it as text"
    try:
        secret = file.read_text(encoding="utf-8").strip()
        if "\0" in secret:
            raise ValueError
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StateError(
            f"{what} cannot be read",
            key=key,
            value=f"{file}: {told}",
            allowed=allowed,
            remedy=remedy or "check that it is there, and that this user may read it",
        ) from None
    if not secret:
        remedy = remedy or "write it into the file"
        raise StateError(f"{what} is empty", key=key, value=file, allowed=allowed, remedy=remedy)
    return secret
