"""This machine: Python, the installed packages, the home folder and its disk."""

import importlib.metadata
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from minorkey.cluster.findings import Finding, fine, problem, warning
from minorkey.settings import settings

__all__ = ["check_machine"]

_PYTHON = (3, 11)
#: A full run on the built-in data writes about 200 MB; below this, only small data fits.
_FREE_BYTES = 2 * 2**30
_LOCK = "constraints.txt"
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)")


def check_machine(folder: Path | None = None) -> Iterator[Finding]:
    """Look at what a run on this machine needs.

    Args:
        folder: where the lock of the packages lies, or a folder below it. Default: the working folder.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _PYTHON:
        yield fine("python", version)
    else:
        yield problem("python", f"{version} is too old", "install Python 3.11, then make install")
    yield _packages(folder or Path.cwd())
    yield from _home(settings().home)


def _packages(folder: Path) -> Finding:
    lock = next((one / _LOCK for one in (folder, *folder.parents) if (one / _LOCK).is_file()), None)
    if lock is None:
        return _requirements()
    wrong = []
    for name, pinned in _PIN.findall(lock.read_text(encoding="utf-8")):
        found = _version(name)
        if found is not None and found.partition("+")[0] != pinned.partition("+")[0]:
            wrong.append(f"{name} {found} instead of {pinned}")
    if wrong:
        return warning("packages", f"other versions than {lock}: {_few(wrong)}", "make install")
    return fine("packages", f"as in {lock}")


def _requirements() -> Finding:
    needed = importlib.metadata.requires("minorkey") or []
    names = [re.split(r"[\s<>=!~\[;]", line)[0] for line in needed if "extra ==" not in line]
    missing = [name for name in names if _version(name) is None]
    if missing:
        return problem(
            "packages", f"missing: {_few(missing)}", "install minorkey anew, with its dependencies"
        )
    return fine("packages", f"{len(names)} found; no {_LOCK} here to compare versions with")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _home(home: Path) -> Iterator[Finding]:
    existing = next(one for one in (home, *home.parents) if one.exists())
    try:
        if home.exists() and not home.is_dir():
            raise NotADirectoryError(20, "it is no folder")
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield problem(
            "home", f"{home} cannot be written: {error.strerror}", "set MINORKEY_HOME to a writable folder"
        )
        return
    yield fine("home", str(home))
    free = shutil.disk_usage(existing).free
    text = f"{free / 2**30:.1f} GiB free at {existing}"
    if free < _FREE_BYTES:
        yield warning("disk", text, "make room, or set MINORKEY_HOME to a larger disk")
    else:
        yield fine("disk", text)


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
