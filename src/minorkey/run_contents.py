"""What a run has in its folder, and the earlier run that an overwriting one keeps aside until it is finished.

Nothing is copied: everything moves by renames. ``state.json`` leaves last and comes back first, so that
after a kill at any moment it is clear what has to be put back.
"""

import shutil
from pathlib import Path

__all__ = ["FORMER", "clear", "forget_former", "is_torn", "put_former_back", "set_aside"]

#: The earlier run, while another one takes its place.
FORMER = ".former"
_STATE = "state.json"
_OWN = (
    ".work", "logs", "bundle", "deployment.json", "error.json", "model_card.md", "profile.json",
    "report.html", "result.json", "spec.json", "study.json", "verdict.json", _STATE,
)  # fmt: skip


def clear(out: Path) -> None:
    """Remove what belongs to the run that lies here; files of others and an earlier run stay."""
    for name in _OWN:
        for path in (out / name, out / f"{name}.partial", out / f".{name}.partial"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def set_aside(out: Path) -> None:
    """Make room for another run. Where an earlier run is aside already, the one that replaced it goes."""
    former = out / FORMER
    if former.exists():
        clear(out)
        return
    former.mkdir()
    for name in _OWN:
        if (out / name).exists():
            (out / name).rename(former / name)


def put_former_back(out: Path) -> None:
    """Undo `set_aside`, finished or cut short; without an earlier run nothing is left."""
    former = out / FORMER
    if not former.exists():
        clear(out)
        return
    if (former / _STATE).exists():
        (out / _STATE).unlink(missing_ok=True)
        clear(out)
        (former / _STATE).rename(out / _STATE)
    for path in former.iterdir():
        path.rename(out / path.name)
    former.rmdir()


def forget_former(out: Path, work: Path) -> None:
    """Give an earlier run up: it goes where what is removed with the work lies."""
    if (out / FORMER).exists():
        (out / FORMER).rename(work / "former")


def is_torn(out: Path) -> bool:
    """Whether a kill came between setting aside or putting back and the state that follows."""
    states = (out / _STATE, out / FORMER / _STATE)
    return (out / FORMER).exists() and not all(path.exists() for path in states)
