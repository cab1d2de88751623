"""Which bundle a local predictor is to serve: a small file that is replaced as a whole."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Target", "read_pointer", "write_pointer"]


@dataclass(frozen=True)
class Target:
    """A bundle and the version it is served as.

    Attributes:
        version: model version.
        bundle: path or URI of the bundle.
    """

    version: str
    bundle: str


def read_pointer(path: Path) -> Target | None:
    """What the file points to; None where it does not exist."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Target(content["version"], content["bundle"])
    except FileNotFoundError:
        return None


def write_pointer(path: Path, target: Target) -> None:
    """Point to another bundle, aside and then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(asdict(target)), encoding="utf-8")
    aside.replace(path)
