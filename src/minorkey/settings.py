"""Where services and secrets are: the only place that reads environment variables.

Read when asked, never at import, so that a process that sets a variable late is understood.
"""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settings", "settings"]


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    #: Folder of everything that outlives a run: MLflow's database, bundles, fold store, ledger.
    home: Path
    #: MLflow server; default: SQLite in `home`.
    tracking_uri: str
    #: Folder or URI under which registered bundles are copied by digest.
    bundle_root: str
    #: File to which a step appends its progress events; empty: nowhere.
    events: str
    #: File in which a failing step leaves its error; empty: nowhere.
    error: str
    #: Identity of this run, shared by its steps.
    run_key: str
    #: Folder in which trials and driver exchange their files; empty: beside the tune step's outputs.
    study_root: str
    #: Size bound of the fold store in bytes.
    fold_store_bytes: int
    #: File that the owning command holds locked: when the lock goes, a step ends itself; empty: nobody.
    owner_lock: str


def settings() -> Settings:
    """The settings as the environment has them now."""
    home = Path(os.environ.get("MINORKEY_HOME", ".minorkey")).absolute()
    return Settings(
        home=home,
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{home}/mlflow.db"),
        bundle_root=os.environ.get("MINORKEY_BUNDLE_ROOT", str(home / "bundles")),
        events=os.environ.get("MINORKEY_EVENTS", ""),
        error=os.environ.get("MINORKEY_ERROR", ""),
        run_key=os.environ.get("MINORKEY_RUN_KEY", ""),
        study_root=os.environ.get("MINORKEY_STUDY_ROOT", ""),
        fold_store_bytes=int(os.environ.get("MINORKEY_FOLD_STORE_BYTES", str(20 * 2**30))),
        owner_lock=os.environ.get("MINORKEY_OWNER_LOCK", ""),
    )
