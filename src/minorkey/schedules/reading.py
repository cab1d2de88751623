"""From schedules.yaml to the schedules that it wants, checked as far as that goes without a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minorkey.errors import SpecError
from minorkey.schedules.cron import require_cron
from minorkey.schedules.spec import ScheduleSpec, SchedulesSpec
from minorkey.schedules.wanted import Schedules, Wanted
from minorkey.spec import RunSpec, load_spec, validated, with_overrides
from minorkey.spec.reading import read_yaml

__all__ = ["load_schedules"]

_SEE = "see docs/reference/schedules.md for every key"
#: Parameters of the pipeline that have keys of their own here.
_OWN = ("spec", "model", "reason")


def load_schedules(path: Path, *, packages_needed: bool = True) -> Schedules:
    """Read a file of schedules and the specifications that it names.

    Args:
        path: the file; paths in it are meant from its folder on.
        packages_needed: refuse a compiled pipeline that is not there; else it is passed over.

    Raises:
        SpecError: the file or one that it names cannot be read or does not fit: with the schedule, the key,
            the value and what is allowed.
    """
    content = read_yaml(
        path,
        what="the file of schedules",
        absent="check the path",
        broken="mend the line that the message names; expressions with * need quotes",
    )
    if not isinstance(content, dict):
        raise SpecError(
            "the file of schedules is not a mapping",
            key=str(path),
            value=type(content).__name__,
            allowed="keys owner, pipelines, schedules",
            remedy=_SEE,
        )
    spec = validated(SchedulesSpec, content, what="the file of schedules", remedy=_SEE)
    packages = {name: path.parent / package for name, package in spec.pipelines.items()}
    _require_distinct(spec)
    wanted = [_wanted(spec.owner, schedule, packages, path.parent) for schedule in spec.schedules]
    for name, package in packages.items() if packages_needed else ():
        _require_package(name, package)
    return Schedules(spec.owner, packages, tuple(wanted))


def _wanted(owner: str, schedule: ScheduleSpec, packages: Mapping[str, Path], folder: Path) -> Wanted:
    where = f"schedule {schedule.name}"
    run = _run_spec(schedule, folder, where)
    for name in _OWN:
        if name in schedule.parameters:
            raise SpecError(
                "this parameter is set by a key of its own",
                key=f"{where}: parameters.{name}",
                value=schedule.parameters[name],
                allowed="other parameters of the pipeline",
                remedy="use the key reason of the schedule"
                if name == "reason"
                else "write it in the specification",
            )
    return Wanted(
        owner=owner,
        name=schedule.name,
        cron=require_cron(schedule.cron, key=f"{where}: cron"),
        pipeline=schedule.pipeline,
        package=None if schedule.pipeline_version else packages.get(schedule.pipeline),
        pipeline_version=schedule.pipeline_version,
        parameters={
            **schedule.parameters,
            "spec": run.model_dump_json(exclude_unset=True),
            "model": run.model,
            "reason": schedule.reason,
        },
        enabled=schedule.enabled,
        max_concurrency=schedule.max_concurrency,
        no_catchup=schedule.no_catchup,
        reason=schedule.reason,
        experiment=schedule.experiment,
        service_account=schedule.service_account,
    )


def _run_spec(schedule: ScheduleSpec, folder: Path, where: str) -> RunSpec:
    try:
        if isinstance(schedule.spec, str):
            return load_spec(folder / schedule.spec)
        return with_overrides(_plain(schedule.spec), {})
    except SpecError as error:
        error.key = f"{where}: spec {error.key}"
        raise


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in content.items()}


def _require_package(name: str, path: Path) -> None:
    if not path.is_file():
        raise SpecError(
            "the compiled pipeline is not there",
            key=f"pipelines.{name}",
            value=str(path),
            allowed="a file that minorkey compile wrote, by its path from the file of schedules on",
            remedy="write it with minorkey compile, or correct the path",
        )


def _require_distinct(spec: SchedulesSpec) -> None:
    names = [schedule.name for schedule in spec.schedules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SpecError(
            "two schedules have one name",
            key=f"schedule {twice[0]}: name",
            value=", ".join(twice),
            allowed="names that are unique in the file",
            remedy="give one of them another name",
        )
