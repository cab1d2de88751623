"""``minorkey schedule``."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from minorkey.errors import SpecError

__all__ = ["DIFFERS", "schedule_command"]

#: Exit code of ``--check`` where the server differs from the file.
DIFFERS = 3


def schedule_command(
    schedules: Path,
    /,
    *,
    host: str = "",
    namespace: str = "",
    token_file: Path | None = None,
    ca_file: Path | None = None,
    check: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    validate: Annotated[bool, Parameter(negative="")] = False,
    patience: float = 120.0,
) -> None:
    """Make the schedules of Kubeflow Pipelines what a file says: upload, create, replace, pause, remove.

    Schedules of other owners are left alone. It may be killed and repeated, and several may run at once: no
    schedule runs twice meanwhile, and none is lost.

    Examples:

    - `minorkey schedule schedules.yaml --validate`
    - `minorkey schedule schedules.yaml --host http://localhost:8888 --check`

    Parameters
    ----------
    schedules
        File of schedules in YAML.
    host
        URL of Kubeflow Pipelines' API.
    namespace
        Namespace of a multi-user installation. Default: none, as in a single-user one.
    token_file
        File with a bearer token.
    ca_file
        Certificates (PEM) that vouch for the server. Default: the system's.
    check
        Only tell what differs; exit code 3 if anything does.
    dry_run
        Only tell what would be done next.
    validate
        Only look whether the file is right, without a server, and without compiled pipelines that are not
        here.
    patience
        Seconds for which a server that is not reached is asked again.
    """
    from minorkey.cli.run import entry_point
    from minorkey.schedules import load_schedules

    wanted = load_schedules(schedules, packages_needed=not validate)
    if validate:
        entry_point("check_schedules")(wanted)
        for text in wanted.missing:
            print(f"not looked at, because it is not here: the compiled pipeline {text}")
        print(f"{schedules} is right: {len(wanted.wanted)} schedules of owner {wanted.owner}")
        return
    if not host:
        raise SpecError(
            "it is not said which Kubeflow Pipelines is meant",
            key="--host",
            allowed="URL of its API, such as http://ml-pipeline.kubeflow:8888",
            remedy="add --host, or --validate to look at the file alone",
        )
    server = entry_point("server")(host, namespace, token_file, ca_file)
    outcome = entry_point("schedule")(
        wanted,
        server,
        change=not (check or dry_run),
        patience=patience,
        tell=lambda text: print(text, flush=True),
    )
    _print(outcome, wanted.owner, changed=not (check or dry_run))
    if check and outcome.differs:
        raise SystemExit(DIFFERS)


def _print(outcome: Any, owner: str, *, changed: bool) -> None:
    if not changed:
        for step in outcome.steps:
            print(f"{step.action}: {owner}/{step.name} {step.why}")
    for one in outcome.kept:
        print(f"kept, paused: {owner}/{one.name} {one.id} was replaced and goes when its run has ended")
    if not outcome.differs:
        print(f"the schedules of owner {owner} are as the file says")
