"""Start a run on Kubeflow Pipelines, follow it, and list what runs there."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import kfp

from minorkey.errors import MinorkeyError, SpecError, StateError
from minorkey.spec import RunSpec
from pipelines.kubeflow import Server, explained
from pipelines.versions import known, named, uploaded

__all__ = ["Run", "list_runs", "require_remote", "submit", "terminate", "wait"]

#: States in which a run stays.
FINAL = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}

_POLL_SECONDS = 10.0
#: Sources that a pod can read; all others are files of the machine on which somebody typed.
_REMOTE = ("builtin:", "sklearn:", "openml:")


@dataclass(frozen=True)
class Run:
    """A run as the server tells it.

    Attributes:
        id: its id, which is minorkey's run key too.
        name: its display name.
        state: PENDING, RUNNING, SUCCEEDED, FAILED, SKIPPED, CANCELING, CANCELED or PAUSED.
        created: when it was started.
        failures: the steps that failed, each with the server's message.
    """

    id: str
    name: str
    state: str
    created: datetime | None
    failures: tuple[str, ...]

    @classmethod
    def of(cls, told: Any) -> "Run":
        """The run of the client's answer."""
        details = (told.run_details and told.run_details.task_details) or []
        failed = [task for task in details if str(task.state) == "FAILED"]
        failures = [
            f"{task.display_name}: {task.error.message if task.error else 'see its log'}" for task in failed
        ]
        if not failures and told.error is not None:
            failures = [str(told.error.message)]
        return cls(told.run_id, told.display_name, str(told.state), told.created_at, tuple(failures))


def submit(
    spec: RunSpec,
    server: Server,
    *,
    experiment: str = "minorkey",
    pipeline: str = "tune",
    version: str = "",
    package: Path | None = None,
    service_account: str = "",
    reason: str = "",
    name: str = "",
    parameters: Mapping[str, str] | None = None,
) -> Run:
    """Start a run of a pipeline that the server has, or of a compiled file that is uploaded first.

    Args:
        spec: what the run does.
        server: where.
        experiment: made if it is missing.
        pipeline: name of the pipeline.
        version: name of its version; "" for the newest.
        package: what `minorkey compile` wrote; uploaded once as a version named by its digest.
        service_account: the pods' ServiceAccount; "" for the installation's default.
        reason: why the run is started.
        name: display name of the run; "" for the model and the time.
        parameters: of the pipeline beside the specification, e.g. ``base_version``, ``feedback_uri``; with
            ``data``, that is read in the place of the specification's source.

    Raises:
        SpecError: the run reads a file of this machine, or the package is no file.
        StateError: the server is not reached, refuses, or has no such pipeline or version.
    """
    if not (parameters or {}).get("data"):
        require_remote(spec)
    client = server.client()
    with explained(server.host):
        found = (
            uploaded(client, pipeline, package, server)
            if package
            else known(client, pipeline, version, server)
        )
        made = client.create_experiment(experiment, namespace=server.namespace or None)
        told = client.run_pipeline(
            made.experiment_id,
            name or f"{spec.model} {datetime.now().astimezone():%Y-%m-%d %H:%M:%S}",
            params={
                **(parameters or {}),
                "spec": spec.model_dump_json(exclude_unset=True),
                "model": spec.model,
                "reason": reason,
            },
            pipeline_id=found.pipeline_id,
            version_id=found.pipeline_version_id,
            enable_caching=None,
            service_account=service_account or None,
        )
    return Run.of(told)


def wait(
    server: Server,
    run_id: str,
    *,
    watch: Callable[[Run], None] = lambda run: None,
    poll_seconds: float = _POLL_SECONDS,
) -> Run:
    """Follow a run to its end.

    Args:
        server: where it runs.
        run_id: its id.
        watch: called when its state changes.
        poll_seconds: how often it is asked for.

    Raises:
        MinorkeyError: it did not succeed.
        StateError: the server is not reached any more; the run goes on.
    """
    client, state = server.client(), ""
    while True:
        with explained(server.host):
            run = Run.of(client.get_run(run_id))
        if run.state != state:
            watch(run)
            state = run.state
        if state in FINAL:
            break
        time.sleep(poll_seconds)
    if state != "SUCCEEDED":
        told = "".join(f"\n  {failure}" for failure in run.failures)
        raise MinorkeyError(f"run {run.id} ended as {state}{told}")
    return run


def terminate(server: Server, run_id: str) -> None:
    """Have a run end; it is CANCELING until its pods are gone, and then CANCELED.

    Raises:
        StateError: the server is not reached, refuses, or has no such run, or the run has ended.
    """
    client = server.client()
    with explained(server.host):
        client.terminate_run(run_id)


def list_runs(
    server: Server, *, run_id: str = "", experiment: str = "", name: str = "", limit: int = 20
) -> list[Run]:
    """The newest runs, or the one with an id, or those with a display name.

    Raises:
        StateError: the server is not reached, refuses, or has no such run or experiment.
    """
    client = server.client()
    with explained(server.host):
        if run_id:
            return [Run.of(client.get_run(run_id))]
        within = _experiment_id(client, experiment, server) if experiment else None
        answer = client.list_runs(
            page_size=limit,
            sort_by="created_at desc",
            experiment_id=within,
            namespace=server.namespace or None,
            filter=named(name) if name else None,
        )
    return [Run.of(told) for told in answer.runs or []]


def require_remote(spec: RunSpec) -> None:
    """Refuse a run whose rows lie on this machine.

    Raises:
        SpecError: its pods could not read them.
    """
    source = spec.data.source
    local = "://" not in source and not source.startswith(_REMOTE)
    if local or source.startswith("file://"):
        raise SpecError(
            "a run on a cluster cannot read a file of this machine",
            key="data.source",
            value=source,
            allowed="s3://, gs://, https://, openml:ID, sklearn:NAME or builtin:cards",
            remedy="copy the file to the bucket and name it there",
        )


def _experiment_id(client: kfp.Client, name: str, server: Server) -> str:
    found = client.list_experiments(filter=named(name), namespace=server.namespace or None).experiments
    if not found:
        raise StateError(
            "there is no such experiment",
            key=f"experiment {name}",
            value=server.host,
            remedy="leave --experiment out to see every run",
        )
    identity: str = found[0].experiment_id
    return identity
