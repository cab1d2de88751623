"""The dashboard's rows, in the order of the questions that somebody on call asks."""

from minorkey.drift.dashboard.drift import DRIFT
from minorkey.drift.dashboard.health import HEALTH
from minorkey.drift.dashboard.panel import MODEL, Panel
from minorkey.drift.dashboard.quality import QUALITY
from minorkey.drift.dashboard.retunes import RETUNES
from minorkey.drift.dashboard.shadow import SHADOW

__all__ = ["NEW_VERSION", "ROWS"]

ROWS: dict[str, tuple[Panel, ...]] = {
    "Is it healthy?": HEALTH,
    "Is the data drifting?": DRIFT,
    "Is it still right?": QUALITY,
    "Would the challenger do better?": SHADOW,
    "What did the loop do?": RETUNES,
}
#: Marks the moment on every panel where another version begins to serve.
NEW_VERSION = (
    f"max by (version) (minorkey_bundle_info{{{MODEL}}}) "
    f"unless on (version) max by (version) (minorkey_bundle_info{{{MODEL}}} offset 1m)"
)
