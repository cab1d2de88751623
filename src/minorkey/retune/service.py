"""Puts a trigger together: for the service and for ``minorkey retune now``."""

import threading
import time
import uuid
from functools import lru_cache, partial
from pathlib import Path

from minorkey.endpoint.running import run_service
from minorkey.endpoint.token import BearerToken
from minorkey.retune.action import ENDED, Action
from minorkey.retune.app import create_app
from minorkey.retune.cancelling import ask_cancel
from minorkey.retune.launcher import Launcher
from minorkey.retune.ledger import Ledger
from minorkey.retune.local_runs import LocalRuns, run_command
from minorkey.retune.readiness import Labels, fresh_after, labels_unknown
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.trigger import Surroundings, Trigger, lease_holder
from minorkey.retune.undo import undo
from minorkey.retune.webhook import Delivery, Event
from minorkey.settings import settings

__all__ = ["build_trigger", "cancel_retune", "retune_now", "serve_trigger", "trigger_token"]

_POLL_SECONDS = 0.2


def serve_trigger(spec: RetuneSpec, *, host: str, port: int, token_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StateError: there is no token, the ledger cannot be used, or the address cannot be bound.
    """
    token = trigger_token(token_file)
    trigger = build_trigger(spec)

    def work(stop: threading.Event) -> None:
        trigger.watch(stop)

    try:
        run_service("retune", create_app(trigger, token), host, port, work)
    finally:
        trigger.wake()
        trigger.ledger.close()


def retune_now(
    spec: RetuneSpec, model: str, *, reason: str, kind: str = "manual", patience: float = 60.0
) -> Action:
    """Wish for a retune, by the path that alerts take, and take it as far as it goes at once.

    Args:
        spec: the trigger's specification.
        model: name of the model.
        reason: why.
        kind: ``manual`` or ``schedule``; each has a cool-down of its own.
        patience: seconds to wait for a launch that another trigger is at.

    Returns:
        The action: running, ended, or waiting for what its `waiting_for` says.

    Raises:
        SpecError: the specification does not name the model.
        StateError: the ledger cannot be used.
    """
    spec.require(model, key="MODEL")
    trigger = build_trigger(spec)
    try:
        wish = Event(
            fingerprint=f"{kind}-{uuid.uuid4().hex}",
            starts_at=round(time.time() * 1_000),
            model=model,
            kind=kind,
            summary=" ".join(reason.split())[:200],
            source=kind,
        )
        (number,) = trigger.receive(Delivery([wish])).actions
        deadline = time.monotonic() + patience
        while True:
            trigger.look()
            action = trigger.ledger.action(number)
            settled = action.status in (*ENDED, "running") or action.waiting_for or action.attempts
            if settled or time.monotonic() > deadline:
                return action
            time.sleep(_POLL_SECONDS)
    finally:
        trigger.ledger.close()


def cancel_retune(spec: RetuneSpec, number: int, *, by: str, reason: str, patience: float = 60.0) -> Action:
    """Call an action off, and end its run if there is one.

    Args:
        spec: the trigger's specification.
        number: of the action.
        by: who calls it off.
        reason: why.
        patience: seconds to wait for the end of the run.

    Returns:
        The action: ended, or with a run that is being ended, which a trigger that serves goes on with.

    Raises:
        SpecError: there is nothing to call off under that number.
        StateError: the ledger cannot be used.
    """
    trigger = build_trigger(spec)
    try:
        why = " ".join(f"cancelled by {by}: {reason}".split())[:300]
        action = ask_cancel(trigger.ledger, number, why)
        deadline = time.monotonic() + patience
        while action.ended is None and time.monotonic() < deadline:
            trigger.look_at_cancelled(number)
            action = trigger.ledger.action(number)
            if action.ended is None:
                time.sleep(_POLL_SECONDS)
        return action
    finally:
        trigger.ledger.close()


def trigger_token(file: Path | None) -> BearerToken:
    """The token of the option, else of the environment's file, else of the environment.

    Raises:
        StateError: there is none.
    """
    known = settings()
    named = file or (Path(known.retune_token_file) if known.retune_token_file else None)
    return BearerToken(
        known.retune_token, named, key="--token-file, MINORKEY_RETUNE_TOKEN_FILE or MINORKEY_RETUNE_TOKEN"
    )


def build_trigger(spec: RetuneSpec) -> Trigger:
    """A trigger on this process's ledger.

    Raises:
        StateError: the ledger cannot be used.
    """
    undone = partial(undo, cluster=spec.rollback.cluster)
    surroundings = Surroundings(_champion, lease_holder, _labels(spec), undone, _former)
    url = settings().database_url or f"sqlite:///{settings().home / 'retune.db'}"
    return Trigger(spec, Ledger(url), _launcher(spec), surroundings)


def _launcher(spec: RetuneSpec) -> Launcher:
    if spec.kubeflow is not None:
        from minorkey.retune.kubeflow_runs import KubeflowRuns

        return KubeflowRuns(spec.kubeflow, spec.models, spec.feedback_spec)
    return LocalRuns(settings().home / "retune", run_command(spec))


def _labels(spec: RetuneSpec) -> Labels:
    if not (spec.feedback or spec.feedback_spec):
        return labels_unknown
    from minorkey.feedback.service import labels_ready

    fresh = lru_cache(maxsize=256)(fresh_after)
    return lambda model, champion: labels_ready(model, spec.min_positives, since=fresh(model, champion))


def _former(model: str, version: str) -> str:
    from minorkey.registry import champion_before

    return champion_before(model, version)


def _champion(model: str) -> str:
    from minorkey.tracking import version_of

    return version_of(model, "champion")
