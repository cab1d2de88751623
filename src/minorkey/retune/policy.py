"""Whether an action may start now. No clock, no database: facts in, a decision out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from minorkey.retune.spec import RetuneSpec
from minorkey.retune.webhook import Event

__all__ = [
    "DAY_SECONDS",
    "POLLS",
    "REASONS",
    "Answer",
    "Decision",
    "Known",
    "World",
    "decide",
    "is_open_again",
    "patience",
]

DAY_SECONDS = 86_400.0
#: What an action can wait for.
REASONS = ("cool_down", "budget", "lease", "labels", "unreachable")
#: Cool-downs between two runs that the same alert leads to, at most.
_MOST_COOL_DOWNS = 4
#: Looks at a thing outside come this many polls apart.
POLLS = 5


@dataclass(frozen=True)
class Known:
    """What the ledger says.

    Attributes:
        now: seconds since 1970.
        last_start: the last start for the same model and kind, None if there was none; a run by hand that
            failed does not count, because whoever wishes again has seen to it.
        starts: starts of the model within the last day, ascending.
        running: key of the model's run that this ledger has started, "" if there is none.
        versions: versions that the action's alerts named; "" for an alert without one.
    """

    now: float
    last_start: float | None
    starts: Sequence[float]
    running: str
    versions: frozenset[str]


@dataclass(frozen=True)
class World:
    """What others say.

    Attributes:
        champion: the version that serves, "" if none is registered.
        holder: key of the run that holds the model's lease, "" if nobody does.
        ready: whether enough labels are there; None: nobody knows.
        labels: the same in words.
    """

    champion: str
    holder: str
    ready: bool | None
    labels: str


@dataclass(frozen=True)
class Decision:
    """What becomes of an action.

    Attributes:
        verdict: ``start``, ``dry_run``, ``wait`` or ``skip``.
        reason: what it waits for, one of `REASONS`.
        until: when to look again, seconds since 1970.
        detail: the decision in words.
    """

    verdict: Literal["start", "dry_run", "wait", "skip"]
    reason: str = ""
    until: float = 0.0
    detail: str = ""


def decide(spec: RetuneSpec, known: Known, world: World | None) -> Decision:
    """Decide about an action that waits.

    Args:
        spec: the trigger's specification.
        known: what the ledger says.
        world: what others say; None where they have not been asked yet, because the ledger may settle it.
    """
    soon = known.now + POLLS * spec.poll_seconds
    if world is not None and _is_stale(known.versions, world.champion):
        told = ", ".join(sorted(known.versions))
        return Decision(
            "skip", detail=f"the alerts tell of version {told}; version {world.champion} serves now"
        )
    if known.last_start is not None and (end := known.last_start + spec.cool_down_seconds) > known.now:
        return Decision("wait", "cool_down", end, f"the last start is less than {spec.cool_down} ago")
    if len(known.starts) >= spec.daily_budget:
        free = known.starts[len(known.starts) - spec.daily_budget] + DAY_SECONDS
        return Decision("wait", "budget", free, f"{len(known.starts)} starts within a day")
    if known.running:
        return Decision("wait", "lease", soon, f"run {known.running} is under way")
    if world is None:
        return Decision("start")
    if world.holder:
        return Decision("wait", "lease", soon, f"run {world.holder} holds the model's lease")
    if world.ready is False:
        return Decision("wait", "labels", soon, world.labels)
    if spec.dry_run:
        return Decision("dry_run", detail="a run would start now; dry_run is set")
    return Decision("start")


@dataclass(frozen=True)
class Answer:
    """What an event has led to.

    Attributes:
        disposition: what became of it when it came.
        status: of its action, "" if it has none.
        started: when that action was started, or ended without a start.
        ended: when that action ended, 0 if it has not.
        base_version: the champion that the action met.
        kept: runs for its model and kind that have kept the champion since it was first heard of.
    """

    disposition: str
    status: str
    started: float
    ended: float
    base_version: str
    kept: int


def is_open_again(
    answer: Answer,
    event: Event,
    *,
    now: float,
    cool_down: float,
    refusal: str,
    dry_run: bool,
    champion: str,
) -> bool:
    """Whether an event that is told again asks for something once more: its harm goes on, nothing is done.

    Args:
        answer: what it has led to.
        event: as it is told now.
        now: seconds since 1970.
        cool_down: seconds between two starts for the same model and kind.
        refusal: the disposition of an event that leads to no action now, "" if it leads to one.
        dry_run: whether nothing is started.
        champion: the version that serves, "" if that is not known.
    """
    if event.source != "alert":
        return False
    if answer.disposition in ("informed", "unknown_model"):
        return answer.disposition != refusal
    if answer.status == "dry_run":
        return not dry_run
    if answer.status in ("kept", "failed"):
        return answer.started <= now - patience(cool_down, answer.kept)
    if answer.status == "skipped":
        was_stale = answer.base_version not in ("", event.version)
        return was_stale and event.version == champion != "" and answer.ended <= now - cool_down
    return False


def patience(cool_down: float, kept: int) -> float:
    """Seconds from a run until the alert that led to it leads to another one.

    What a run finds rests on weeks of labels: a few hours later it finds the same.

    Args:
        cool_down: seconds between two starts for the same model and kind.
        kept: runs that have kept the champion since the alert began; each after the first doubles the time.
    """
    return cool_down * min(_MOST_COOL_DOWNS, 2.0 ** max(0, kept - 1))


def _is_stale(versions: frozenset[str], champion: str) -> bool:
    """Whether every alert tells of a version that has been replaced."""
    return bool(champion and versions) and "" not in versions and champion not in versions
