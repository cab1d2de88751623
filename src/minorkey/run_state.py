"""A run's folder: who owns it, whether it is finished, and what may happen to it.

::

    OUT/
    ├── state.json          run key, status and digest of the specification
    ├── result.json, report.html, bundle/, model_card.md, study.json, verdict.json, ...
    ├── logs/               events.jsonl and pipeline.log
    ├── .work/              what the steps exchange; gone once the run is finished
    └── .former/            the run that `--overwrite` replaces, until this one is finished; put back if this
                            one fails before a trial of it is finished
"""

import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from minorkey.errors import InputError, StateError
from minorkey.run_contents import FORMER, forget_former, is_torn, put_former_back, set_aside
from minorkey.settings import settings
from minorkey.spec import RunSpec
from minorkey.trials.study_root import open_root

__all__ = ["OwnerLock", "RunFolder", "spec_digest", "when_owner_dies"]

#: Version of state.json.
_FORMAT = 1
#: Held by whichever command works in the folder.
_LOCK = ".lock"
_STATE_ASIDE = "state.json.partial"


def spec_digest(spec: RunSpec, parameters: Mapping[str, str] | None = None) -> str:
    """Digest of everything that a run's result depends on: specification, parameters, state of its file."""
    hasher = hashlib.sha256(spec.model_dump_json().encode())
    if parameters:
        hasher.update(json.dumps(dict(parameters), sort_keys=True).encode())
    with suppress(OSError, ValueError):  # no file: a URI, a catalogue, or what `load` will refuse
        status = Path(spec.data.source).stat()
        hasher.update(f"{status.st_size} {status.st_mtime_ns}".encode())
    return hasher.hexdigest()


class OwnerLock:
    """An exclusive lock that the kernel frees when its holder dies, however it dies.

    Raises:
        StateError: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._stream = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.seek(0)
            holder = self._stream.read().strip() or "unknown"
            self._stream.close()
            raise StateError(
                "another command works in this folder right now",
                key=str(self._path.parent),
                value=f"process {holder}",
                remedy="wait for it, or give another --out",
            ) from None
        self._stream.truncate(0)
        self._stream.write(str(os.getpid()))
        self._stream.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()


def when_owner_dies(lock: Path, act: Callable[[], None]) -> None:
    """Call ``act`` from a background thread as soon as nobody holds the lock any more."""

    def watch() -> None:
        with lock.open(encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH)
        act()

    threading.Thread(target=watch, name="owner-watch", daemon=True).start()


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, opened for that run.

    Attributes:
        out: the folder.
        run_key: identity of the run, shared by its steps and kept across a resume.
        resumed: whether an interrupted run goes on.
        made: the lock and the folders that did not exist before, deepest first.
    """

    out: Path
    run_key: str
    resumed: bool
    made: tuple[Path, ...]

    @classmethod
    @contextmanager
    def hold(
        cls,
        out: Path,
        spec: RunSpec,
        *,
        overwrite: bool = False,
        parameters: Mapping[str, str] | None = None,
    ) -> Iterator[Self]:
        """Claim a folder for a run, or go on with the interrupted run in it; nobody else may meanwhile.

        Args:
            out: the folder; it is made if needed.
            spec: what the run does.
            overwrite: replace a finished run, or an interrupted one of another specification. An
                interrupted run of this very specification is resumed all the same.
            parameters: what the run does beside it.

        Raises:
            StateError: the folder is not a run's, is finished, belongs to an interrupted run of another
                specification, or another command works in it. The folder is then as before, and so it is
                where the body raises an `InputError` before a trial of the run is finished.
            OSError: the folder cannot be written.
        """
        out = out.absolute()
        if out.exists() and (not out.is_dir() or _is_of_others(out)):
            raise StateError(
                "this is not the folder of a run, so nothing is written into it",
                key=str(out),
                allowed="a new or empty folder, or one that minorkey run made",
                remedy="give another --out",
            )
        made = tuple(path for path in (out / _LOCK, out, *out.parents) if not path.exists())
        with ExitStack() as held:
            try:
                _make_folder(out)
                held.enter_context(OwnerLock(out / _LOCK))
            except (StateError, OSError):
                _unmake(made)
                raise
            digest = spec_digest(spec, parameters)
            folder = cls._admitted(out, digest, overwrite, made)
            try:
                folder._prepare(spec, digest)
                held.enter_context(OwnerLock(folder.owner))
            except OSError:
                folder._give_up()
                raise
            try:
                yield folder
            except InputError:
                folder._give_up()
                raise

    @classmethod
    def _admitted(cls, out: Path, digest: str, overwrite: bool, made: tuple[Path, ...]) -> Self:
        """Which run this is: the interrupted one here, or a new one if the folder may be used for it."""
        if is_torn(out):
            put_former_back(out)
        state = _read_state(out)
        if state is not None and state["status"] == "running" and state["spec_digest"] == digest:
            return cls(out=out, run_key=state["run_key"], resumed=True, made=made)
        if state is not None and not overwrite:
            kind = (
                "a finished run"
                if state["status"] == "finished"
                else "an unfinished run of another specification"
            )
            raise StateError(
                f"{kind} lies here",
                key=str(out),
                value=f"run {state['run_key']}" + _begun_by(state),
                remedy="add --overwrite to replace it, or give another --out",
            )
        return cls(out=out, run_key=uuid.uuid4().hex, resumed=False, made=made)

    def _prepare(self, spec: RunSpec, digest: str) -> None:
        if not self.resumed and _read_state(self.out) is not None:
            set_aside(self.out)
        if not self.resumed:
            # Before anything else: by the state a folder is known as a run's.
            self._write_state("running", digest)
        _make(self.out)
        aside = self.out / "spec.json.partial"
        aside.write_text(spec.model_dump_json(indent=1), encoding="utf-8")
        aside.replace(self.out / "spec.json")

    @property
    def work(self) -> Path:
        """What the steps exchange."""
        return self.out / ".work"

    @property
    def study(self) -> Path:
        """Where trials and driver meet in the folder: the part that makes a run resumable."""
        return self.work / "study"

    @property
    def study_root(self) -> str:
        """Where trials and driver meet: `study`, or the run's own place in the bucket of the settings."""
        given = settings().study_root
        return f"{given.rstrip('/')}/{self.run_key}" if "://" in given else str(self.study)

    @property
    def events(self) -> Path:
        """The steps' progress events, one JSON object a line."""
        return self.out / "logs" / "events.jsonl"

    @property
    def log(self) -> Path:
        """Everything that the steps printed."""
        return self.out / "logs" / "pipeline.log"

    @property
    def error(self) -> Path:
        """What a step leaves that failed on the user's input."""
        return self.out / "error.json"

    @property
    def owner(self) -> Path:
        """The file that the owning command holds locked as long as this very run is alive."""
        return self.work / f"owner-{self.run_key}.lock"

    def finish(self) -> None:
        """Mark the run finished and forget what only a resume would need."""
        state = _read_state(self.out) or {}
        forget_former(self.out, self.work)
        self._write_state("finished", state.get("spec_digest", ""))
        shutil.rmtree(self.work, ignore_errors=True)

    def _give_up(self) -> None:
        """End a run that failed on its input or the disk: finished trials stay, else nothing."""
        if not self._has_finished_trials():
            self.abandon()

    def _has_finished_trials(self) -> bool:
        """Look in the study root; where that cannot be reached, in what the run has told."""
        try:
            keys = open_root(self.study_root).list("trials/")
        except InputError:
            return self.events.exists() and '"trial_finished"' in self.events.read_text(encoding="utf-8")
        return any(key.endswith("/result.json") for key in keys)

    def abandon(self) -> None:
        """Leave the folder as it was: for a run that failed on its input before it had achieved anything."""
        put_former_back(self.out)
        _unmake(self.made)

    def _write_state(self, status: str, digest: str) -> None:
        content = {
            "format": _FORMAT,
            "minorkey": version("minorkey"),
            "run_key": self.run_key,
            "status": status,
            "spec_digest": digest,
            "time": time.time(),
        }
        aside = self.out / _STATE_ASIDE
        aside.write_text(json.dumps(content, indent=1), encoding="utf-8")
        aside.replace(self.out / "state.json")


def _read_state(out: Path) -> dict[str, Any] | None:
    try:
        state = json.loads((out / "state.json").read_text(encoding="utf-8"))
        missing = sorted({"run_key", "status", "spec_digest"} - state.keys())
        if missing and state.get("format", 1) <= _FORMAT:
            raise ValueError(f"it lacks {', '.join(missing)}")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise StateError(
            "the folder's state.json cannot be read", key=str(out), value=error, remedy="give another --out"
        ) from None
    # Before it was counted, it was 1.
    if state.get("format", 1) > _FORMAT:
        raise StateError(
            "the folder holds the run of a newer minorkey",
            key=str(out),
            value=f"state.json of format {state['format']}",
            allowed=f"format {_FORMAT}",
            remedy="use the newer minorkey, or give another --out",
        )
    return dict(state)


def _begun_by(state: dict[str, Any]) -> str:
    """Which minorkey began a run, where it was another one: its defaults may be part of the difference."""
    begun = state.get("minorkey", "")
    return f" of minorkey {begun}" if begun and begun != version("minorkey") else ""


def _is_of_others(out: Path) -> bool:
    """Whether a folder holds something, and nothing that tells of a run."""
    names = {path.name for path in out.iterdir()} - {_LOCK, _STATE_ASIDE}
    return bool(names) and FORMER not in names and _read_state(out) is None


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            "the output folder cannot be made",
            key=str(out),
            value=error.strerror,
            remedy="give another --out",
        ) from None


def _make(out: Path) -> None:
    (out / ".work" / "tmp").mkdir(parents=True, exist_ok=True)
    (out / "logs").mkdir(exist_ok=True)
    (out / "logs" / "pipeline.log").touch()


def _unmake(made: tuple[Path, ...]) -> None:
    """Remove a lock and folders that were made for nothing; a folder that somebody else uses stays."""
    for path in made:
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
