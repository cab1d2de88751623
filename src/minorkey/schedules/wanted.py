"""A schedule as it should be, and the mark by which it is known again on the server."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Schedules", "Wanted", "marked", "read_mark"]

#: Older installations keep a description of at most 255 characters.
_REASON = 100
_MARK = re.compile(
    r"^minorkey schedule (?P<owner>[a-z0-9-]+)/(?P<name>[a-z0-9-]+) (?P<digest>[0-9a-f]{32})$", re.M
)


@dataclass(frozen=True)
class Wanted:
    """A schedule as the file wants it.

    Attributes:
        owner: whose it is.
        name: its name in the file.
        cron: six fields.
        pipeline: name of the pipeline.
        package: the compiled pipeline that is uploaded, None for a version that the server has.
        pipeline_version: name of that version, "" for the newest.
        parameters: of the pipeline, the specification among them.
        enabled: whether it runs.
        max_concurrency: runs at a time, 1 to 10.
        no_catchup: whether missed runs are left out but for the last.
        reason: why it runs.
        experiment: name of its runs' experiment.
        service_account: of its runs' pods, "" for the installation's default.
    """

    owner: str
    name: str
    cron: str
    pipeline: str
    package: Path | None
    pipeline_version: str
    parameters: dict[str, str] = field(default_factory=dict)
    enabled: bool = True
    max_concurrency: int = 1
    no_catchup: bool = True
    reason: str = ""
    experiment: str = "minorkey"
    service_account: str = ""

    @property
    def display_name(self) -> str:
        """What it is called in the user interface."""
        return f"{self.owner}/{self.name}"

    def digest(self, version: str) -> str:
        """Digest of all that cannot be changed on the server, which is all but whether it is enabled.

        Args:
            version: name of the pipeline's version that it runs.
        """
        content = {
            "cron": self.cron,
            "pipeline": self.pipeline,
            "version": version,
            "parameters": self.parameters,
            "max_concurrency": self.max_concurrency,
            "no_catchup": self.no_catchup,
            "experiment": self.experiment,
            "service_account": self.service_account,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Schedules:
    """What a file of schedules wants.

    Attributes:
        owner: whose schedules these are.
        packages: pipelines to upload: the compiled file by the pipeline's name.
        wanted: the schedules, each name once.
    """

    owner: str
    packages: dict[str, Path]
    wanted: tuple[Wanted, ...]

    @property
    def missing(self) -> list[str]:
        """Packages that are not there, each with its pipeline's name."""
        return [f"{name}: {package}" for name, package in self.packages.items() if not package.is_file()]


def marked(wanted: Wanted, version: str) -> str:
    """The description of a recurring run: the reason, for people, and the mark by which it is known again."""
    reason = " ".join(wanted.reason.split())[:_REASON]
    mark = f"minorkey schedule {wanted.owner}/{wanted.name} {wanted.digest(version)}"
    return f"{reason}\n{mark}" if reason else mark


def read_mark(description: str) -> tuple[str, str, str] | None:
    """Owner, name and digest of a recurring run, None for one that minorkey did not make."""
    found = _MARK.search(description)
    return None if found is None else (found["owner"], found["name"], found["digest"])
