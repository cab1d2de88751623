"""Removes trial Jobs that no driver looks after: ``python -m minorkey.trials.kubernetes.sweeper``.

A pod that runs ends itself when its driver is gone. What never ran (no quota, no node, no image) cannot,
and a driver that comes back would take it over; so only what has been without a heartbeat for long goes.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from minorkey.errors import MinorkeyError
from minorkey.progress import emit
from minorkey.trials.kubernetes.api import KubernetesApi, Refused
from minorkey.trials.kubernetes.channel import Channel
from minorkey.trials.kubernetes.jobs import MANAGED, ROOT_ANNOTATION
from minorkey.trials.kubernetes.outcomes import seconds_since
from minorkey.trials.study_root import StudyRoot, open_root

__all__ = ["AGE_SECONDS", "PATIENCE_SECONDS", "main", "sweep"]

#: Without a heartbeat for so long, a driver is gone.
PATIENCE_SECONDS = 1_800.0
#: A Job whose study root cannot be read is left alone until it is so old.
AGE_SECONDS = 172_800.0


def sweep(
    api: KubernetesApi,
    namespace: str,
    *,
    patience: float = PATIENCE_SECONDS,
    age: float = AGE_SECONDS,
    dry_run: bool = False,
    open_study: Callable[[str], StudyRoot] = open_root,
) -> list[str]:
    """Delete the trial Jobs of a namespace whose driver is gone.

    Args:
        api: the API.
        namespace: where to look.
        patience: seconds without a heartbeat; a Job younger than that stays too.
        age: seconds after which a Job goes whose study root cannot be read.
        dry_run: only tell.
        open_study: opens the study root that a Job's annotation names.

    Returns:
        Names of the Jobs that were deleted, or would be.

    Raises:
        InputError: the API does not allow it, or cannot be reached.
    """
    try:
        jobs, _ = api.list("jobs", namespace, labelSelector=MANAGED)
        beats: dict[str, float | None] = {}
        swept = []
        for job in jobs:
            location = (job["metadata"].get("annotations") or {}).get(ROOT_ANNOTATION, "")
            if location not in beats:
                beats[location] = _newest_beat(location, open_study)
            if _is_left(job, beats[location], patience, age):
                swept.append(str(job["metadata"]["name"]))
        for name in swept if not dry_run else ():
            api.delete_job(namespace, name)
    except Refused as refused:
        raise refused.problem.error() from None
    return swept


def main() -> None:
    """Run ``minorkey sweep`` with the arguments of this process, and exit."""
    from minorkey.cli import main as command_line

    command_line(["sweep", *sys.argv[1:]])


def _newest_beat(location: str, open_study: Callable[[str], StudyRoot]) -> float | None:
    """When the study's driver was last heard of, -inf if never; None if its study root cannot be read."""
    try:
        beat = Channel(open_study(location)).newest_beat()
    except (MinorkeyError, OSError) as error:
        emit("warned", text=f"the study root {location or '(none named)'} cannot be read: {error}")
        return None
    return float("-inf") if beat is None else float(beat)


def _is_left(job: dict[str, Any], beat: float | None, patience: float, age: float) -> bool:
    lived = seconds_since(job["metadata"]["creationTimestamp"])
    if beat is None or beat == float("-inf"):
        return lived > age
    return lived > patience and time.time() - beat > patience


if __name__ == "__main__":
    main()
