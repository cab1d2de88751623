"""The trigger itself: what comes in is written down, what is due is decided, launched and followed."""

import math
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from minorkey import lease
from minorkey.errors import BundleError, ContractError, InputError, MinorkeyError, SpecError, StateError
from minorkey.retune.action import Action
from minorkey.retune.cancelling import cancels
from minorkey.retune.launcher import Launch, Launcher, Seen
from minorkey.retune.launches import keys_until
from minorkey.retune.ledger import Ledger, Recorded
from minorkey.retune.policy import DAY_SECONDS, POLLS, World
from minorkey.retune.readiness import Labels
from minorkey.retune.schedules import Schedules
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.undo import Undo, no_former, nothing_to_undo
from minorkey.retune.webhook import Delivery

__all__ = ["Surroundings", "Trigger", "lease_holder"]

#: A run that is lost so often is given up.
_MOST_LOSSES = 5
_LONGEST_PAUSE = 600.0
#: Between two questions which version is champion, for the metrics.
_CHAMPION_SECONDS = 10.0

_log = structlog.get_logger("minorkey.retune")


@dataclass(frozen=True)
class Surroundings:
    """Whom the trigger asks before it starts anything.

    Attributes:
        champion: the version of a model that serves, "" if none is registered.
        holder: key of the run that holds a model's lease, "" if nobody does.
        labels: whether enough labels are there.
        undo: takes a new champion back; given model, versions that the alerts name, probation in seconds
            and reason, it tells the outcome and that in words.
        former: the champion before a version of a model, "" if there is none.
    """

    champion: Callable[[str], str]
    holder: Callable[[str], str]
    labels: Labels
    undo: Undo = nothing_to_undo
    former: Callable[[str, str], str] = no_former


class Trigger:
    """Ledger, launcher and policy of one service or command.

    Args:
        spec: what it does.
        ledger: where it is written down.
        launcher: what starts runs.
        surroundings: whom to ask.
    """

    def __init__(
        self, spec: RetuneSpec, ledger: Ledger, launcher: Launcher, surroundings: Surroundings
    ) -> None:
        self.spec, self.ledger = spec, ledger
        self._launcher, self._surroundings = launcher, surroundings
        self._wake = threading.Event()
        self._champions: dict[str, tuple[str, str]] = {}
        self._asked = -math.inf
        #: Lines of code whose errors are logged already.
        self._unexpected: set[tuple[str, int | None]] = set()
        self._schedules = Schedules(ledger, spec.schedules)

    def receive(self, delivery: Delivery) -> Recorded:
        """Write a delivery down; the next look decides about it.

        Raises:
            StateError: the ledger cannot be written, so nothing was.
        """
        recorded = self.ledger.record(
            delivery,
            self.spec.models.keys(),
            self.spec.acts_on,
            cool_down=self.spec.cool_down_seconds,
            dry_run=self.spec.dry_run,
            champions={model: version for model, (version, _) in self.champions().items()},
        )
        if recorded.actions:
            self._wake.set()
        return recorded

    def look(self) -> None:
        """Follow what runs, launch what is decided, decide what waits, once.

        Whatever one action's launcher, registry or labels answer, also what nobody expected, is written
        down with it, and holds up no other action.

        Raises:
            StateError: the ledger does not answer.
        """
        self._look_at_clock()
        asked = cancels(self.ledger)
        for action in self.ledger.running():
            self._follow(action, asked.get(action.id, ""))
        for action in self.ledger.waiting():
            if action.model in self.spec.models:  # others may be another trigger's
                self._consider(action)
        for action in self.ledger.claim_launches(self.spec.claim_seconds, self.spec.models):
            self._launch(action, asked.get(action.id, ""))
        for model in self.spec.models:
            self._observe(model)
        if time.monotonic() - self._asked >= _CHAMPION_SECONDS:
            self._asked = time.monotonic()
            for model in self.spec.models:
                self._note_champion(model)

    def look_at_cancelled(self, number: int) -> None:
        """Carry out that one action was cancelled, and nothing else.

        Raises:
            StateError: the ledger does not answer.
        """
        why = cancels(self.ledger).get(number)
        if why is None:
            return
        for action in self.ledger.running():
            if action.id == number:
                self._follow(action, why)
        for action in self.ledger.claim_launches(self.spec.claim_seconds, only=number):
            self._launch(action, why)

    def run_of(self, action: Action) -> Seen:
        """How the run of an action is, by whoever runs it; nothing is recorded.

        Raises:
            StateError: whoever runs it does not answer.
        """
        return self._launcher.look(action.run_id)

    def champions(self) -> dict[str, tuple[str, str]]:
        """By model its champion and the one before it, as they were seen last, where there is one."""
        return dict(self._champions)

    def watch(self, stop: threading.Event) -> None:
        """Look again and again until `stop`; a ledger that does not answer is told once and tried again."""
        complaint, forgotten = "", -math.inf
        while not stop.is_set():
            if time.monotonic() - forgotten >= DAY_SECONDS:
                forgotten = time.monotonic()
                self._forget()
            try:
                self.look()
                complaint = ""
            except Exception as error:
                if str(error) != complaint:
                    complaint = str(error)
                    _log.error("look_failed", error=complaint)
            self._wake.wait(self.spec.poll_seconds)
            self._wake.clear()

    def wake(self) -> None:
        """End the pause between two looks."""
        self._wake.set()

    def _look_at_clock(self) -> None:
        """Wish for what the schedules ask for: in the ledger first, dealt with then."""
        for event, dealt_with in self._schedules.due():
            self.receive(Delivery([event]))
            dealt_with()

    def _consider(self, action: Action) -> None:
        if action.kind in self.spec.rollback.on:
            self._undo(action)
            return
        if self.ledger.consider(action, self.spec, None).verdict == "wait":
            return
        try:
            champion = self._surroundings.champion(action.model)
            ready, labels = self._surroundings.labels(action.model, champion)
            world = World(
                champion=champion,
                holder=self._surroundings.holder(action.model),
                ready=ready,
                labels=labels,
            )
        except Exception as error:
            self.ledger.postpone(action, "unreachable", self._pause(action), self._told(error))
            return
        decision = self.ledger.consider(action, self.spec, world)
        _log.info(
            "decided", action=action.id, model=action.model, verdict=decision.verdict, why=decision.detail
        )

    def _undo(self, action: Action) -> None:
        """Take a new champion back, at once: it waits for no label, no budget and no run under way.

        The action stays waiting until that is done, and what is done names the version that it leaves; so a
        trigger that is killed in between finds it done.
        """
        try:
            champion = self._surroundings.champion(action.model)
            outcome, detail = self._surroundings.undo(
                action.model,
                self.ledger.versions(action),
                self.spec.rollback.probation_seconds,
                f"{action.reason} (action {action.id})",
                dry_run=self.spec.dry_run,
            )
        except (BundleError, ContractError, SpecError) as error:
            # No later try would find it otherwise.
            remedy = f"mend that, or go back with `minorkey rollback {action.model} --to VERSION`"
            outcome, detail, champion = "failed", f"{self._told(error)}; {remedy}", ""
        except Exception as error:
            self.ledger.postpone(action, "unreachable", self._pause(action), self._told(error))
            return
        if self.ledger.finish(action, outcome, detail, champion=champion):
            self._asked = -math.inf
            _log.info("ended", action=action.id, model=action.model, outcome=outcome, why=detail)

    def _note_champion(self, model: str) -> None:
        try:
            version = self._surroundings.champion(model)
            previous = self._surroundings.former(model, version) if version else ""
        except Exception as error:
            _log.warning("champion_unknown", model=model, error=self._told(error))
            return
        if version:
            self._champions[model] = (version, previous)
        else:
            self._champions.pop(model, None)

    def _launch(self, action: Action, cancelled: str) -> None:
        if self.spec.dry_run and not cancelled:
            told = "its run would be launched now; dry_run is set"
            self.ledger.hold_back(action, action.waiting_for, POLLS * self.spec.poll_seconds, told)
            return
        try:
            if cancelled:
                # Of a launch that was cut short there may be a run. The model's lease keeps another one from
                # beginning before that has ended.
                self._launcher.cancel(_launch_of(action), action.run_id, cancelled)
                self._end(action, "cancelled", cancelled)
                return
            if action.waiting_for == "lease":
                holder = self._surroundings.holder(action.model)
                # Of a launch that was cut short its own run may hold it.
                if holder and not holder.startswith(action.run_key):
                    told = f"run {holder} holds the model's lease"
                    self.ledger.hold_back(action, "lease", POLLS * self.spec.poll_seconds, told)
                    return
            run_id = self._launcher.launch(_launch_of(action))
        except SpecError as error:
            self.ledger.finish(action, "failed", self._told(error))
        except Exception as error:
            told = self._told(error)
            self.ledger.launch_again(action, self._pause(action), told, waiting_for="unreachable")
        else:
            self.ledger.launched(action, run_id)
            _log.info("launched", action=action.id, model=action.model, run=run_id)

    def _follow(self, action: Action, cancelled: str) -> None:
        try:
            if cancelled:
                self._launcher.cancel(_launch_of(action), action.run_id, cancelled)
            seen = self._launcher.look(action.run_id)
        except Exception as error:
            self.ledger.note(action, self._told(error))
            return
        if seen.state == "running":
            self.ledger.note(action, seen.detail)
        elif cancelled and seen.state != "succeeded":
            self._end(action, "cancelled", "; ".join(filter(None, (cancelled, seen.detail))))
        elif seen.state == "next":
            self.ledger.go_on(action, seen.detail)
            _log.info("went_on", action=action.id, model=action.model, why=seen.detail)
        elif seen.state == "busy":
            pause, told = self._pause(action), seen.detail
            self.ledger.launch_again(action, pause, told, fresh=True, waiting_for="lease")
        elif seen.state == "lost" and action.losses < _MOST_LOSSES:
            self.ledger.launch_again(action, self._pause(action), seen.detail, lost=True)
        elif seen.state == "succeeded":
            self._succeeded(action, seen, cancelled)
        else:
            self._end(action, "failed" if seen.state == "lost" else seen.state, seen.detail)

    def _end(self, action: Action, outcome: str, detail: str) -> None:
        if self.ledger.finish(action, outcome, detail):
            _log.info("ended", action=action.id, model=action.model, outcome=outcome, why=detail)

    def _succeeded(self, action: Action, seen: Seen, cancelled: str) -> None:
        """A run came to its end; whether it replaced the champion, the registry knows."""
        try:
            champion = self._surroundings.champion(action.model)
        except Exception as error:
            self.ledger.note(action, self._told(error))
            return
        outcome = seen.outcome or ("kept" if champion == action.base_version else "promoted")
        late = f"; it had ended before it was {cancelled}" if cancelled else ""
        self._end(action, outcome, f"{seen.detail}{late}")

    def _observe(self, model: str) -> None:
        try:
            holder = self._surroundings.holder(model)
        except Exception as error:
            _log.warning("lease_unknown", model=model, error=self._told(error))
            return
        self.ledger.observe(model, holder)

    def _pause(self, action: Action) -> float:
        """Seconds before the next try: twice as long each time."""
        return min(_LONGEST_PAUSE, self.spec.poll_seconds * 2.0 ** min(action.attempts + action.losses, 20))

    def _forget(self) -> None:
        def remove(action: Action) -> None:
            if action.source != "outside" and action.run_key:
                for key in keys_until(action.run_key):
                    try:
                        self._launcher.forget(key)
                    except Exception as error:
                        _log.error("forget_failed", run=key, error=self._told(error))

        try:
            self.ledger.forget(self.spec.keep_days, remove)
        except StateError as error:
            _log.error("forget_failed", error=self._told(error))

    def _told(self, error: Exception) -> str:
        """An error on one line, for the ledger; where it came from is logged if nobody expected it."""
        if isinstance(error, MinorkeyError):
            told = error.problem if isinstance(error, InputError) else str(error)
        else:
            told = f"{type(error).__name__}: {error}"
            raised = traceback.extract_tb(error.__traceback__)[-1]
            if (raised.filename, raised.lineno) not in self._unexpected:
                self._unexpected.add((raised.filename, raised.lineno))
                _log.error("unexpected", error=told, exc_info=error)
        return " ".join(told.split())[:300]


def lease_holder(model: str) -> str:
    """Key of the run that holds a model's lease, "" if nobody does.

    Raises:
        StateError: the leases cannot be reached.
    """
    holder = lease.holder(model)
    return "" if holder is None else holder.run_key


def _launch_of(action: Action) -> Launch:
    return Launch(action.run_key, action.model, action.kind, action.reason, action.base_version)
