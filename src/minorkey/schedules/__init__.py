"""When runs start on Kubeflow Pipelines, as a file in Git says it: the file, its check, and what differs."""

from minorkey.schedules.cron import require_cron
from minorkey.schedules.observed import Observed
from minorkey.schedules.plan import Step, Target, plan
from minorkey.schedules.reading import load_schedules
from minorkey.schedules.spec import ScheduleSpec, SchedulesSpec
from minorkey.schedules.wanted import Schedules, Wanted

__all__ = [
    "Observed",
    "ScheduleSpec",
    "Schedules",
    "SchedulesSpec",
    "Step",
    "Target",
    "Wanted",
    "load_schedules",
    "plan",
    "require_cron",
]
