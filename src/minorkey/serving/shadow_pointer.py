"""Which challenger a local predictor scores in shadow: a small file beside the pointer to the champion."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from minorkey.aside import put_text
from minorkey.serving.pointer import Target
from minorkey.settings import settings

__all__ = [
    "ShadowPointer",
    "follow_challenger",
    "point_to_challenger",
    "read_shadow",
    "shadow_path",
    "write_shadow",
]


@dataclass(frozen=True)
class ShadowPointer:
    """What is to be in shadow.

    Attributes:
        follow: whether versions that are registered on this machine take the place.
        version: the challenger, "" for none yet.
        bundle: path or URI of its bundle.
    """

    follow: bool
    version: str = ""
    bundle: str = ""

    @property
    def target(self) -> Target | None:
        """The challenger, None for none yet."""
        return Target(self.version, self.bundle) if self.version else None


def shadow_path(model: str) -> Path:
    """The model's file."""
    return settings().home / "serving" / model / "shadow.json"


def read_shadow(path: Path) -> ShadowPointer | None:
    """What the file says; None where it does not exist and nothing is to be in shadow."""
    try:
        return ShadowPointer(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def write_shadow(path: Path, pointer: ShadowPointer) -> None:
    """Say it anew, aside and then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    put_text(path, json.dumps(asdict(pointer)))


def follow_challenger(model: str) -> None:
    """From now on every version that is registered on this machine scores in shadow."""
    path = shadow_path(model)
    known = read_shadow(path) or ShadowPointer(follow=True)
    write_shadow(path, ShadowPointer(True, known.version, known.bundle))


def point_to_challenger(model: str, version: str, bundle: str) -> bool:
    """A version was registered: it takes the place in shadow where new versions are followed.

    Returns:
        Whether they are.
    """
    path = shadow_path(model)
    known = read_shadow(path)
    if known is None or not known.follow:
        return False
    write_shadow(path, ShadowPointer(True, version, bundle))
    return True
