"""A recurring run as the server has it."""

from dataclasses import dataclass

__all__ = ["Observed"]


@dataclass(frozen=True)
class Observed:
    """A recurring run that carries the owner's mark.

    Attributes:
        id: its id on the server.
        name: of the schedule that it was made for.
        digest: of what it was made from.
        version_id: id of the pipeline's version that it runs.
        enabled: whether it runs.
        created: when it was made, in a form that sorts.
        cron: when it runs.
        in_flight: whether a run of it goes on.
    """

    id: str
    name: str
    digest: str
    version_id: str
    enabled: bool
    created: str
    cron: str = ""
    in_flight: bool = False
