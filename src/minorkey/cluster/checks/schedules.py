"""Whether a file of schedules is right, and whether Kubeflow Pipelines has what it says."""

from collections.abc import Iterator
from pathlib import Path

from minorkey.cli.run import entry_point
from minorkey.cluster.findings import Finding, fine, problem, unseen, warning
from minorkey.errors import InputError
from minorkey.schedules import load_schedules

__all__ = ["check_schedules"]

_CHECK = "schedules"


def check_schedules(path: Path, host: str) -> Iterator[Finding]:
    """Findings about the file, and about what a server has of it.

    Args:
        path: the file.
        host: URL of Kubeflow Pipelines' API, "" to look at the file alone.
    """
    try:
        schedules = load_schedules(path, packages_needed=bool(host))
        entry_point("check_schedules")(schedules)
    except InputError as error:
        found = "" if error.value is None else f" ({error.value})"
        allowed = f"; allowed: {error.allowed}" if error.allowed else ""
        yield problem(_CHECK, f"{path}, {error.key}: {error.problem}{found}", f"{error.remedy}{allowed}")
        return
    told = f"{len(schedules.wanted)} schedules of owner {schedules.owner}"
    if not host:
        yield fine(_CHECK, f"{path} is right: {told}")
        return
    try:
        outcome = entry_point("schedule")(schedules, entry_point("server")(host), change=False, patience=0.0)
    except InputError as error:
        yield unseen(
            _CHECK, f"{path} is right, and what {host} has is not seen: {error.problem}", error.remedy
        )
        return
    if not outcome.differs:
        yield fine(_CHECK, f"{host} has the {told}")
        return
    changes = [f"upload {version}" for version in outcome.uploads]
    changes += [f"{step.action} {step.name}" for step in outcome.steps]
    remedy = f"minorkey schedule {path} --host {host}"
    yield warning(_CHECK, f"{host} differs from {path}: {', '.join(changes)}", remedy)
