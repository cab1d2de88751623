"""Run a pipeline on this machine: the same graph, through kfp.local.

The command stays in the foreground and reads events; kfp and the steps run in a child process of
its own session, so that their noise goes to a log and no step outlives the command.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from minorkey import lease
from minorkey.errors import InputError, MinorkeyError, StateError
from minorkey.run_state import RunFolder, when_owner_dies
from minorkey.settings import settings
from minorkey.spec import RunSpec

__all__ = ["run"]

Event = dict[str, Any]

_JUDGED = {"verdict": "verdict.json", "report": "report.html", "card": "model_card.md"}
#: By pipeline: what its steps make, and what that is called in the run's folder.
_ARTIFACTS = {
    "tune": {
        "load/data/profile.json": "profile.json",
        "tune/bundle": "bundle",
        "tune/study": "study.json",
        **{f"evaluate/{output}": name for output, name in _JUDGED.items()},
        "deploy/deployment": "deployment.json",
    },
    "adjust": {
        "load/data/profile.json": "profile.json",
        "adjust/bundle": "bundle",
        "adjust/study": "study.json",
        **{f"adjust/{output}": name for output, name in _JUDGED.items()},
        "deploy/deployment": "deployment.json",
    },
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG)
_POLL_SECONDS = 0.1


def run(
    spec: RunSpec,
    out: Path,
    *,
    pipeline: str = "tune",
    parameters: dict[str, str] | None = None,
    overwrite: bool = False,
    watch: Callable[[Event], None] = lambda event: None,
    finish: Callable[[RunFolder], None] = lambda folder: None,
    containers: dict[str, Any] | None = None,
) -> None:
    """Run the pipeline and collect what it made into a folder.

    Args:
        spec: what the run does.
        out: the folder for its results; an interrupted run of the same specification there goes on.
        pipeline: ``tune`` or ``adjust``.
        parameters: of the pipeline beside the specification, e.g. ``base_version``, ``feedback_uri``,
            ``until``, ``mode``, ``reason``. A run that goes on has to have the same.
        overwrite: replace a finished run.
        watch: called with every progress event, in order.
        finish: called with the folder when the results are in it, before the run counts as finished.
        containers: arguments of ``docker run`` to run each step in a container of the image that the
            components name; None: each step is a process here.

    Raises:
        InputError: the specification, the data or the folder is at fault.
        MinorkeyError: a step failed unexpectedly.
    """
    given = parameters or {}
    holding = RunFolder.hold(out, spec, overwrite=overwrite, parameters=given)
    with _disk_errors(out), holding as folder, _disk_errors(out):
        try:
            job = {
                "pipeline": pipeline,
                "parameters": given,
                "spec": spec.model_dump(mode="json"),
                "containers": containers,
            }
            _execute(folder, job, watch)
            _collect(folder, pipeline)
            finish(folder)
        finally:
            lease.release(spec.model, folder.run_key)
        folder.finish()


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (*_FULL, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            raise
        raise _not_writable(out, error.strerror or str(error)) from None


def _not_writable(out: Path, reason: str) -> StateError:
    return StateError(
        "the output folder cannot be written",
        key=str(out),
        value=reason,
        allowed="a folder on a disk with room that you may write to",
        remedy="give another --out, or make room",
    )


def _execute(folder: RunFolder, job: dict[str, Any], watch: Callable[[Event], None]) -> None:
    shutil.rmtree(folder.work / "pipeline", ignore_errors=True)
    folder.error.unlink(missing_ok=True)
    (folder.work / "job.json").write_text(json.dumps(job), encoding="utf-8")
    events = _Tail(folder.events)
    for event in events.read():
        if event["event"] == "trial_finished":
            watch({**event, "replayed": True})
    temporary = tempfile.TemporaryDirectory(prefix="minorkey-")
    with folder.log.open("a", encoding="utf-8") as log, temporary as tmp:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "pipelines.local", str(folder.out)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_step_environment(folder), "TMPDIR": tmp},
            start_new_session=True,
        )
        try:
            code = _follow(child, events, watch)
        finally:
            _end_session(child)
    if folder.error.exists():
        raise InputError.read(folder.error)
    if code != 0:
        raise _unexpected(folder)


def _follow(child: "subprocess.Popen[bytes]", events: "_Tail", watch: Callable[[Event], None]) -> int:
    while True:
        try:
            code: int | None = child.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        for event in events.read():
            watch(event)
        if code is not None:
            return code


def _end_session(child: "subprocess.Popen[bytes]") -> None:
    """Kill whatever is left of the child's session, be the child alive or not."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _unexpected(folder: RunFolder) -> MinorkeyError:
    if shutil.disk_usage(folder.out).free < 2**20:
        return _not_writable(folder.out, "no space left on the disk")
    causes = [line.strip() for line in folder.log.read_text(errors="replace").splitlines() if _is_cause(line)]
    cause = f": {causes[-1][:300]}" if causes else ""
    return MinorkeyError(f"a step failed unexpectedly{cause}\n  log: {folder.log}")


def _is_cause(line: str) -> bool:
    name, colon, _ = line.strip().partition(":")
    return bool(colon) and name.endswith(("Error", "Exception")) and "finished with status" not in line


def _step_environment(folder: RunFolder) -> dict[str, str]:
    return {
        "MINORKEY_HOME": str(settings().home),
        "MINORKEY_RUN_KEY": folder.run_key,
        "MINORKEY_EVENTS": str(folder.events),
        "MINORKEY_ERROR": str(folder.error),
        "MINORKEY_STUDY_ROOT": folder.study_root,
        "MINORKEY_OWNER_LOCK": str(folder.owner),
    }


class _Tail:
    """New lines of a growing file of JSON lines. A line that a kill cut short is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def read(self) -> list[Event]:
        if not self._path.exists():
            return []
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            content = stream.read()
        self._offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [event for event in map(_event, lines) if event is not None]


def _event(line: bytes) -> Event | None:
    try:
        event: Event = json.loads(line)
    except ValueError:
        return None
    return event


def _collect(folder: RunFolder, pipeline: str) -> None:
    """Copy what a reader wants from kfp's layout, ``pipeline/<run>/<task>/<output>``, into the folder."""
    (root,) = (folder.work / "pipeline").glob(f"{pipeline}-*")
    for source, name in _ARTIFACTS[pipeline].items():
        made, target, aside = root / source, folder.out / name, folder.out / f".{name}.partial"
        if not made.exists():
            continue
        shutil.rmtree(aside, ignore_errors=True)
        if made.is_dir():
            shutil.copytree(made, aside)
            shutil.rmtree(target, ignore_errors=True)
        else:
            shutil.copyfile(made, aside)
        aside.replace(target)
    verdict = json.loads((folder.out / "verdict.json").read_text(encoding="utf-8"))
    if verdict["decision"] == "promote" and not (folder.out / "deployment.json").exists():
        raise MinorkeyError(f"the model was promoted, yet the deploy step did not run\n  log: {folder.log}")


def _child(out: Path) -> None:
    """Run the pipeline in this process; every step dies with the command that asked for it."""
    from kfp import local

    from pipelines import adjust, tune

    when_owner_dies(Path(settings().owner_lock), lambda: os.killpg(0, signal.SIGKILL))
    job = json.loads((out / ".work" / "job.json").read_text(encoding="utf-8"))
    spec = RunSpec.model_validate(job["spec"])
    runner = local.SubprocessRunner(use_venv=False)
    if job["containers"] is not None:
        from pipelines import containers

        containers.keep_until_read()
        runner = local.DockerRunner(**containers.arguments(job["containers"], out))
    local.init(
        runner,
        pipeline_root=str(out / ".work" / "pipeline"),
        workspace_root=str(out / ".work" / "workspace"),
        raise_on_error=True,
    )
    graphs = {"tune": tune.tune_pipeline, "adjust": adjust.adjust_pipeline}
    graphs[job["pipeline"]](spec=spec.model_dump_json(), **job["parameters"])


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
