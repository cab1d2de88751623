"""What a doctor says: one finding for each thing looked at, with its remedy."""

from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["Finding", "fine", "problem", "unseen", "warning"]

Status = Literal["ok", "warning", "problem", "unseen"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at.
        status: ``problem`` keeps a run from working, ``warning`` does not, ``unseen`` could not be looked at.
        text: what was found, naming the object.
        remedy: what to do about it.
    """

    check: str
    status: Status
    text: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """The finding as JSON values."""
        return asdict(self)


def fine(check: str, text: str) -> Finding:
    """What is as it has to be."""
    return Finding(check, "ok", text)


def warning(check: str, text: str, remedy: str) -> Finding:
    """What works, but not as asked."""
    return Finding(check, "warning", text, remedy)


def problem(check: str, text: str, remedy: str) -> Finding:
    """What keeps a run from working."""
    return Finding(check, "problem", text, remedy)


def unseen(check: str, text: str, remedy: str) -> Finding:
    """What could not be looked at."""
    return Finding(check, "unseen", text, remedy)
