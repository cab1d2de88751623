"""MLflow as minorkey uses it: runs, trials, and what an alias points to."""

from minorkey.tracking.client import champion_version, client, reaching, version_of
from minorkey.tracking.login import sign_in
from minorkey.tracking.runs import RunTracker, open_run

__all__ = ["RunTracker", "champion_version", "client", "open_run", "reaching", "sign_in", "version_of"]
