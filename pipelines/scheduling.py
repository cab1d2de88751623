"""Schedules of a file in Git, made to be what Kubeflow Pipelines has: look, do the next round, look again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import kfp
from kfp_server_api import V2beta1DeletePropagationPolicy

from minorkey.errors import StateError
from minorkey.schedules import Observed, Schedules, Step, Target, plan
from minorkey.schedules.wanted import marked, read_mark
from pipelines.kubeflow import Refused, Server, Unreachable, explained
from pipelines.submitting import FINAL
from pipelines.targets import check, resolved
from pipelines.versions import named

__all__ = ["Outcome", "reconcile"]

#: Rounds until all is at rest; a change takes four, and others may change things meanwhile.
_ROUNDS = 12
_PAGE = 100
_LONGEST_PAUSE = 30.0
#: A run was there a moment ago, or is there by now: somebody else is at it.
_MOVED = (404, 409)


@dataclass
class Outcome:
    """What a reconciliation did, or would do.

    Attributes:
        uploads: versions of pipelines.
        steps: changes of recurring runs, in order.
        kept: recurring runs that were replaced, paused, and that go when their run has ended.
    """

    uploads: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    kept: list[Observed] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether anything had to be changed."""
        return bool(self.uploads or self.steps)


def reconcile(
    schedules: Schedules,
    server: Server,
    *,
    change: bool = True,
    patience: float = 120.0,
    tell: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Make the owner's recurring runs what the file says.

    Args:
        schedules: the file's.
        server: where.
        change: whether anything is changed; else the first round is told.
        patience: seconds for which a server that is not reached is asked again, with growing pauses.
        tell: called with each thing that is done.

    Raises:
        SpecError: a schedule's rows lie on this machine, or its pipeline has no such parameter.
        StateError: the server is not reached or refuses, and a schedule whose replacement could not be made
            runs on as it was; or others change the same schedules all the time.
    """
    check(schedules)
    work = _Reconciliation(schedules, server, tell)
    deadline, pause = time.monotonic() + patience, 1.0
    rounds = 0
    while rounds < _ROUNDS:
        try:
            if work.round(change=change) or not change:
                return work.outcome
            rounds += 1
        except Unreachable as error:
            if time.monotonic() + pause > deadline:
                raise work.put_back(error) from None
            tell(f"waiting: {error.problem}; tried again in {pause:.0f} s")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        except StateError as error:
            raise work.put_back(error) from None
    raise work.put_back(
        StateError(
            "the schedules did not come to rest: somebody else changes them at the same time",
            key=f"owner {schedules.owner}",
            value=f"{rounds} rounds",
            allowed="one file of schedules an owner",
            remedy="end the other reconciliation, or give one of the files another owner",
        )
    )


class _Reconciliation:
    """One reconciliation, which may see the server more than once."""

    def __init__(self, schedules: Schedules, server: Server, tell: Callable[[str], None]) -> None:
        self.outcome = Outcome()
        self._schedules, self._server, self._tell = schedules, server, tell
        self._client: kfp.Client | None = None
        #: What runs on if its replacement cannot be made: ids by the schedule's name.
        self._paused: dict[str, str] = {}
        self._made: set[tuple[str, str]] = set()

    def round(self, *, change: bool) -> bool:
        """Look, and do what is next; whether all is as it should be."""
        self._client = client = self._client or self._server.client()
        with explained(self._server.host):
            targets, uploads = resolved(self._schedules, client, self._server, change=change)
            observed = self._observed(client, targets)
        # Outside the block, which drops what is printed.
        for version in uploads:
            self.outcome.uploads.append(version)
            self._tell(f"upload: {version}")
        steps = plan(targets, observed)
        self.outcome.kept = [one for one in observed if one.in_flight]
        if not change:
            self.outcome.steps = steps
            return not steps
        replaced = {step.name for step in steps if step.action == "create"}
        for step in steps:
            try:
                with explained(self._server.host):
                    self._do(client, step)
            except Refused as error:
                if error.status not in _MOVED:
                    error.key = f"schedule {step.name} on {error.key}"
                    raise
                return False
            if step.action == "pause" and step.name in replaced:
                self._paused[step.name] = step.id
            elif step.action == "create":
                self._paused.pop(step.name, None)
            self.outcome.steps.append(step)
            self._tell(f"{step.action}: {self._schedules.owner}/{step.name} {step.why}")
        return not steps

    def put_back(self, error: StateError) -> StateError:
        """The error, after what had been paused for a replacement that is not there runs again."""
        for name, identity in self._paused.items():
            try:
                client = self._server.client()
                with explained(self._server.host):
                    client.enable_recurring_run(identity)
                told = f"schedule {name} runs on as it was"
            except StateError:
                told = f"schedule {name} is paused until schedules are reconciled again"
            error.remedy = f"{error.remedy}; {told}" if error.remedy else told
        return error

    def _observed(self, client: kfp.Client, targets: Sequence[Target]) -> list[Observed]:
        """The owner's recurring runs."""
        fitting = {(target.wanted.name, target.digest, target.version_id) for target in targets}
        found, token = [], ""
        while True:
            answer = client.list_recurring_runs(
                page_token=token,
                page_size=_PAGE,
                sort_by="created_at",
                namespace=self._server.namespace or None,
            )
            for told in answer.recurring_runs or []:
                mark = read_mark(told.description or "")
                if mark is not None and mark[0] == self._schedules.owner:
                    found.append(self._one(client, told, mark, fitting))
            token = answer.next_page_token
            if not token:
                return found

    def _one(
        self, client: kfp.Client, told: Any, mark: tuple[str, str, str], fitting: set[tuple[str, str, str]]
    ) -> Observed:
        _, name, digest = mark
        version = (
            told.pipeline_version_reference and told.pipeline_version_reference.pipeline_version_id
        ) or ""
        version = version or told.pipeline_version_id or ""
        enabled = str(told.mode) == "ENABLE"
        # Asked only of those that may be removed.
        leaves = not enabled and (name, digest, version) not in fitting
        return Observed(
            id=told.recurring_run_id,
            name=name,
            digest=digest,
            version_id=version,
            enabled=enabled,
            created=told.created_at.isoformat(),
            cron=(told.trigger and told.trigger.cron_schedule and told.trigger.cron_schedule.cron) or "",
            in_flight=leaves and self._in_flight(client, told.recurring_run_id),
        )

    def _in_flight(self, client: kfp.Client, identity: str) -> bool:
        answer = client.list_runs(
            page_size=_PAGE,
            sort_by="created_at desc",
            namespace=self._server.namespace or None,
            filter=named(identity, key="recurring_run_id"),
        )
        return any(str(run.state) not in FINAL for run in answer.runs or [])

    def _do(self, client: kfp.Client, step: Step) -> None:
        if step.action == "create" and step.target is not None:
            self._create(client, step.target)
        elif step.action == "pause":
            client.disable_recurring_run(step.id)
        elif step.action == "enable":
            client.enable_recurring_run(step.id)
        else:
            # Without it servers from 2.16 on end the runs that go on, as older ones always do.
            client._recurring_run_api.recurring_run_service_delete_recurring_run(
                step.id, propagation_policy=V2beta1DeletePropagationPolicy.ORPHAN
            )

    def _create(self, client: kfp.Client, target: Target) -> None:
        """Make it paused: it is enabled in a later round, when it is known to be the only one."""
        wanted = target.wanted
        if (wanted.name, target.digest) in self._made:
            raise StateError(
                "a recurring run that was made a moment ago is gone or not listed",
                key=f"schedule {wanted.name} on {self._server.host}",
                value=wanted.display_name,
                allowed="one file of schedules an owner",
                remedy="look whether somebody else removes it: another file with this owner, or a person",
            )
        made = client.create_experiment(wanted.experiment, namespace=self._server.namespace or None)
        client.create_recurring_run(
            made.experiment_id,
            wanted.display_name,
            description=marked(wanted, target.version),
            cron_expression=wanted.cron,
            max_concurrency=wanted.max_concurrency,
            no_catchup=wanted.no_catchup,
            params=dict(wanted.parameters),
            pipeline_id=target.pipeline_id,
            version_id=target.version_id,
            enabled=False,
            service_account=wanted.service_account or None,
        )
        self._made.add((wanted.name, target.digest))
