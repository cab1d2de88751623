"""What to do next so that the server has what the file wants. Pure: looks at both, changes neither.

A recurring run cannot be changed but for whether it is enabled, has no unique name, and a created one runs
for what came after its creation only. So a change is made in rounds, with a look in between::

    the old one is paused -> a new one is made, paused -> the new one is enabled -> the old one is removed

At every moment at most one of a schedule is enabled, so that nothing runs twice; at every moment there is
one, so that a reconciliation which ends in the middle, or meets another one, leaves what the next look
completes. Of several that fit, an enabled one stays, else the oldest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from minorkey.schedules.observed import Observed
from minorkey.schedules.wanted import Wanted

__all__ = ["Step", "Target", "plan"]


@dataclass(frozen=True)
class Target:
    """A wanted schedule and the version of the pipeline that it is to run.

    Attributes:
        wanted: the schedule.
        version: name of the version.
        version_id: its id on the server, "" while it is not there.
        pipeline_id: id of the pipeline, "" as long.
    """

    wanted: Wanted
    version: str
    version_id: str = ""
    pipeline_id: str = ""

    @property
    def digest(self) -> str:
        """Digest of what the recurring run is made from."""
        return self.wanted.digest(self.version)


@dataclass(frozen=True)
class Step:
    """One change.

    Attributes:
        action: what is done.
        name: of the schedule.
        id: of the recurring run, "" for one that is to be made.
        why: what is told of it.
        target: what is to be made.
    """

    action: Literal["pause", "create", "enable", "remove"]
    name: str
    id: str = ""
    why: str = ""
    target: Target | None = None


def plan(targets: Sequence[Target], observed: Iterable[Observed]) -> list[Step]:
    """The next round of changes, in order; none when all is as it should be.

    Args:
        targets: what is wanted, each name once.
        observed: the owner's recurring runs.
    """
    found: dict[str, list[Observed]] = {target.wanted.name: [] for target in targets}
    for one in sorted(observed, key=lambda one: (not one.enabled, one.created, one.id)):
        found.setdefault(one.name, []).append(one)
    wanted = {target.wanted.name: target for target in targets}
    return [step for name, runs in found.items() for step in _schedule(name, wanted.get(name), runs)]


def _schedule(name: str, target: Target | None, runs: list[Observed]) -> list[Step]:
    if target is None:
        return [step for one in runs for step in _leave(one, "is no longer in the file")]
    fitting = [one for one in runs if one.digest == target.digest and one.version_id == target.version_id]
    others = [one for one in runs if one not in fitting]
    # One that was replaced since would make up for what its successor has run: it does not come back.
    latest = max((one.created for one in others), default="")
    others += [one for one in fitting if one.created < latest]
    fitting = [one for one in fitting if one.created >= latest]
    # So would one that was made, and then not enabled, for what its predecessor goes on to run.
    runs_on = target.wanted.enabled and any(one.enabled for one in others)
    discarded = [one for one in fitting if runs_on and not one.enabled]
    fitting = [one for one in fitting if one not in discarded]
    if not fitting:
        steps = [Step("pause", name, one.id, "is replaced") for one in others if one.enabled]
        steps += [step for one in discarded for step in _leave(one, "was made and not enabled")]
        why = (
            "is new"
            if not runs
            else "changed: " + ("when it runs" if _moved(target, runs) else "what it runs")
        )
        return [*steps, Step("create", name, why=why, target=target)]
    kept, *twins = fitting
    leaving = [step for one in twins for step in _leave(one, "is there twice")]
    leaving += [step for one in others for step in _leave(one, "was replaced")]
    steps = [step for step in leaving if step.action == "pause"]
    if kept.enabled and not target.wanted.enabled:
        steps.append(Step("pause", name, kept.id, "should not run"))
    if target.wanted.enabled and not kept.enabled:
        steps.append(Step("enable", name, kept.id, "should run"))
    return steps + [step for step in leaving if step.action == "remove"]


def _moved(target: Target, others: Sequence[Observed]) -> bool:
    return all(one.cron != target.wanted.cron for one in others)


def _leave(one: Observed, why: str) -> list[Step]:
    """Paused in one round and removed in the next, when none of its runs can begin any more.

    Nothing while a run of it goes on: servers before 2.16 delete that run with it.
    """
    if one.enabled:
        return [Step("pause", one.name, one.id, why)]
    return [] if one.in_flight else [Step("remove", one.name, one.id, why)]
