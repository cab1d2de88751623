"""``minorkey submit``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["submit_command"]


def submit_command(
    spec: Path | None = None,
    /,
    *,
    host: str,
    namespace: str = "",
    experiment: str = "minorkey",
    pipeline: str = "tune",
    pipeline_version: str = "",
    package: Path | None = None,
    service_account: str = "minorkey-pipeline",
    token_file: Path | None = None,
    ca_file: Path | None = None,
    set: Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)] = None,
    reason: str = "",
    wait: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Start a run on Kubeflow Pipelines.

    Example: `minorkey submit fraud.yaml --host http://localhost:8888 --package build/tune.yaml --wait`

    Parameters
    ----------
    spec
        Specification in YAML, as for `minorkey run`.
    host
        URL of Kubeflow Pipelines' API.
    namespace
        Namespace of a multi-user installation. Default: none, as in a single-user one.
    experiment
        Experiment that the run belongs to; made if it is missing.
    pipeline
        Name of the pipeline there.
    pipeline_version
        Name of its version. Default: the newest.
    package
        File that `minorkey compile` wrote; it is uploaded if the server does not have it yet.
    service_account
        ServiceAccount of the run's pods.
    token_file
        File with a bearer token.
    ca_file
        Certificates (PEM) that vouch for the server. Default: the system's.
    set
        Any key of the specification, e.g. `--set search.trials=200`. Repeatable.
    reason
        Why the run is started; it stays with the run.
    wait
        Follow the run to its end; a run that fails is an error.
    """
    from minorkey.cli.run import entry_point, resolve_spec

    run_spec, assumed = resolve_spec(spec, flags={}, settings=set or [], keep=[])
    for text in assumed:
        print(f"assumed: {text}")
    server = entry_point("server")(host, namespace, token_file, ca_file)
    run = entry_point("submit")(
        run_spec,
        server,
        experiment=experiment,
        pipeline=pipeline,
        version=pipeline_version,
        package=package,
        service_account=service_account,
        reason=reason,
    )
    print(f"started: run {run.id}\n  {host.rstrip('/')}/#/runs/details/{run.id}")
    if wait:
        entry_point("wait")(server, run.id, watch=lambda seen: print(f"{seen.state.lower()}", flush=True))
