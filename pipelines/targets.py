"""Which version of its pipeline each schedule is to run, and whether that version takes its parameters."""

from pathlib import Path
from typing import Any

import kfp
import yaml

from minorkey.errors import SpecError
from minorkey.schedules import Schedules, Target, Wanted
from minorkey.spec import RunSpec, parse_section
from pipelines.kubeflow import Server
from pipelines.submitting import require_remote
from pipelines.versions import known, present, uploaded, version_of

__all__ = ["check", "resolved"]


def check(schedules: Schedules) -> None:
    """Refuse what the server or its pods would refuse, as far as the file and the packages here tell.

    Raises:
        SpecError: a schedule's rows lie on this machine, its pipeline does not take a parameter, or a package
            is no compiled pipeline.
    """
    packages = {name: package for name, package in schedules.packages.items() if package.is_file()}
    inputs = {name: _inputs(name, package) for name, package in packages.items()}
    for wanted in schedules.wanted:
        try:
            require_remote(parse_section(RunSpec, wanted.parameters["spec"]))
        except SpecError as error:
            error.key = f"schedule {wanted.name}: spec {error.key}"
            raise
        if wanted.package is not None and wanted.pipeline in inputs:
            _require_parameters(wanted, inputs[wanted.pipeline])


def _inputs(name: str, package: Path) -> dict[str, str]:
    """The type of each parameter that a compiled pipeline takes."""
    try:
        compiled = next(yaml.safe_load_all(package.read_bytes()))
        parameters = compiled["root"].get("inputDefinitions", {}).get("parameters", {})
        return {str(key): str(value["parameterType"]) for key, value in parameters.items()}
    except (OSError, yaml.YAMLError, StopIteration, KeyError, TypeError, AttributeError) as error:
        raise SpecError(
            "this is no compiled pipeline",
            key=f"pipelines.{name}",
            value=f"{package}: {type(error).__name__} {error}",
            allowed="a file that minorkey compile wrote",
            remedy="write it again with minorkey compile",
        ) from None


def _require_parameters(wanted: Wanted, inputs: dict[str, str]) -> None:
    texts = sorted(name for name, kind in inputs.items() if kind == "STRING")
    for name, value in wanted.parameters.items():
        if name not in texts:
            raise SpecError(
                f"the pipeline {wanted.pipeline} takes no such text",
                key=f"schedule {wanted.name}: parameters.{name}",
                value=value,
                allowed=", ".join(texts),
                remedy="correct the name; numbers are written in the specification",
            )


def resolved(
    schedules: Schedules,
    client: kfp.Client,
    server: Server,
    *,
    change: bool,
) -> tuple[list[Target], list[str]]:
    """Each schedule with its pipeline's version, after the packages of the file have been uploaded.

    Args:
        schedules: the file's.
        client: speaks to the server.
        server: where.
        change: whether packages are uploaded; else they are only looked for.

    Returns:
        The targets, and the names of the versions that were, or would be, uploaded.

    Raises:
        StateError: the server has no such pipeline or version.
        SpecError: a package cannot be read.
    """
    versions: dict[tuple[str, str], Any] = {}
    uploads = []
    for name, package in schedules.packages.items():
        found = present(client, name, package, server)
        if found is None:
            if change:
                found = uploaded(client, name, package, server)
            uploads.append(version_of(name, package))
        versions[name, ""] = found
    targets = []
    for one in schedules.wanted:
        key = (one.pipeline, one.pipeline_version)
        if key not in versions:
            versions[key] = known(client, one.pipeline, one.pipeline_version, server)
        targets.append(_target(one, versions[key]))
    return targets, uploads


def _target(wanted: Wanted, version: Any) -> Target:
    if version is None and wanted.package is not None:
        return Target(wanted, version_of(wanted.pipeline, wanted.package))
    return Target(wanted, version.display_name, version.pipeline_version_id, version.pipeline_id)
