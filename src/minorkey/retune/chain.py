"""A retune on this machine: the cheapest fix first, each stage a run of its own.

Fresh labelled rows, an adjustment of probabilities and threshold, a new fit of what serves, a search: the
next only if the one before did not mend the harm. The folder holds a run for each stage, so the same command
goes on where a kill stopped it, and ``retune.json``.
"""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from minorkey.aside import put_text
from minorkey.errors import DataError, StateError
from minorkey.feedback.spec import load_feedback_spec
from minorkey.progress import emit
from minorkey.retune.stages import (
    STAGES,
    Outcome,
    Verdict,
    first_stage,
    next_stage,
    outcome_of,
    pipeline_of,
    stage_spec,
)
from minorkey.retune.supervisor import ACCOUNT
from minorkey.spec import RunSpec

__all__ = ["Account", "RunStage", "Stage", "Wanted", "retune"]

_FRESH, _BASE = "fresh.parquet", "base_version"


class RunStage(Protocol):
    """Runs a pipeline on this machine."""

    def __call__(self, spec: RunSpec, out: Path, /, *, pipeline: str, parameters: dict[str, str]) -> None:
        """Run it, or go on with the interrupted run in the folder."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What a retune is to do.

    Attributes:
        spec: of the run, as a search would have it.
        feedback: file of the feedback service's specification; None: there are no labels of production.
        base_version: the version that serves, "" if none does.
        reason: why.
        kind: of the alert.
    """

    spec: RunSpec
    feedback: Path | None
    base_version: str
    reason: str
    kind: str


@dataclass(frozen=True)
class Stage:
    """One run of a retune.

    Attributes:
        name: ``adjust``, ``refit`` or ``search``.
        decision: ``promote`` or ``keep``.
        action: what the diagnosis asks for, of ``adjust`` alone.
        reason: of the decision, in words.
        seconds: wall clock of this stage; of one that an interrupted call had finished, 0.
    """

    name: str
    decision: str
    action: str
    reason: str
    seconds: float


@dataclass
class Account:
    """What a retune came to.

    Attributes:
        model: name in the registry.
        reason: why it was started.
        kind: of the alert.
        base_version: the version that served.
        version: the version that serves afterwards.
        outcome: ``adjusted``: another version with the same ranking serves; ``promoted``: another model;
            ``kept``: the same version.
        fresh_rows: labelled production rows.
        stages: what was run, in order.
    """

    model: str
    reason: str
    kind: str
    base_version: str
    version: str = ""
    outcome: Outcome = "kept"
    fresh_rows: int = 0
    stages: list[Stage] = field(default_factory=list)


def retune(
    wanted: Wanted, out: Path, *, run: RunStage, champion: Callable[[str], str], overwrite: bool = False
) -> Account:
    """Mend a model with the cheapest fix that works.

    Args:
        wanted: what is to be done.
        out: folder for the stages and the account.
        run: runs a pipeline.
        champion: the version of a model that serves.
        overwrite: replace a finished retune in the folder. An interrupted one goes on all the same.

    Raises:
        StateError: a finished retune lies in the folder, or another run of the model is under way.
        InputError: the specification or the data are at fault.
    """
    out = out.absolute()
    if (out / ACCOUNT).exists():
        _give_way(out, wanted.spec.model, overwrite=overwrite)
    wanted = replace(wanted, base_version=_settled_base(wanted.base_version, out))
    account = Account(wanted.spec.model, wanted.reason, wanted.kind, wanted.base_version)
    fresh = _fresh_rows(wanted, out, account)
    parameters = {"base_version": wanted.base_version, "reason": f"{wanted.kind}: {wanted.reason}"}
    if fresh is not None:
        parameters["feedback_uri"] = str(fresh)

    name = first_stage(labelled=fresh is not None, base_version=wanted.base_version)
    while name:
        given = {"reason": parameters["reason"]} if name == "adjust" else parameters
        spec = stage_spec(name, wanted.spec, str(fresh))
        done = _stage(name, spec, out / name, {key: text for key, text in given.items() if text}, run)
        account.stages.append(done)
        emit("phase", phase=name, text=f"{name}: {done.decision}. {done.reason}")
        verdict = Verdict(done.decision, done.action, done.reason)
        account.outcome, name = outcome_of(name, verdict), next_stage(name, verdict)
    account.version = champion(wanted.spec.model)
    put_text(out / ACCOUNT, json.dumps(asdict(account), indent=1))
    return account


def _give_way(out: Path, model: str, *, overwrite: bool) -> None:
    """Remove a finished retune, its account last: until then it is a finished one."""
    if not overwrite:
        raise StateError(
            "a finished retune lies here",
            key=str(out),
            value=f"{ACCOUNT} of model {model}",
            remedy="add --overwrite to replace it, or give another --out",
        )
    for stage in STAGES:
        shutil.rmtree(out / stage, ignore_errors=True)
    for name in (_FRESH, _BASE, ACCOUNT):
        (out / name).unlink(missing_ok=True)


def _settled_base(version: str, out: Path) -> str:
    """The version that served when this retune began; an interrupted call may have replaced it since."""
    file = out / _BASE
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        put_text(file, version)
    return file.read_text(encoding="utf-8")


def _fresh_rows(wanted: Wanted, out: Path, account: Account) -> Path | None:
    """The labelled rows of production as a file; None where there are none."""
    import pyarrow.parquet as pq

    if wanted.feedback is None:
        emit("warned", text="no feedback specification is named: the search starts from the data alone")
        return None
    fresh = out / _FRESH
    if not fresh.exists():  # else an interrupted call has written it, and its stages go by it
        from minorkey.feedback.export import export_rows
        from minorkey.feedback.service import open_intake

        try:
            export_rows(open_intake(load_feedback_spec(wanted.feedback)), wanted.spec.model, fresh)
        except DataError as error:
            emit("warned", text=f"{error.problem}: the search starts from the data alone")
            return None
    account.fresh_rows = pq.read_metadata(fresh).num_rows
    return fresh


def _stage(name: str, spec: RunSpec, folder: Path, parameters: dict[str, str], run: RunStage) -> Stage:
    began = time.monotonic()
    if not _is_finished(folder):
        run(spec, folder, pipeline=pipeline_of(name), parameters=parameters)
    verdict: dict[str, Any] = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    return Stage(
        name,
        str(verdict["decision"]),
        str(verdict.get("action", "")),
        str(verdict["reason"]),
        round(time.monotonic() - began, 3),
    )


def _is_finished(folder: Path) -> bool:
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(state.get("status") == "finished")
