"""Where services and secrets are: the only place that reads environment variables.

Read when asked, never at import, so that a process that sets a variable late is understood.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from minorkey.errors import StateError

__all__ = ["Settings", "alone", "settings"]


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    #: Folder of everything that outlives a run: MLflow's database, bundles, fold store, ledger.
    home: Path
    #: MLflow server; default: SQLite in `home`.
    tracking_uri: str
    #: File with the password of the MLflow server's user, where the environment does not hold it itself.
    tracking_password_file: str
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
    #: Folder with ``token`` and ``ca.crt`` of the ServiceAccount that acts; empty: the pod's own.
    kubernetes_credentials: str
    #: Folder with the credentials of the Git server that models ship by; empty: none.
    git_credentials: str
    #: Region of the S3 service; empty: what the SDK finds itself. It does not look at AWS_REGION.
    s3_region: str
    #: File with the token that callers of the retune trigger bring; empty: none.
    retune_token_file: str
    #: Feedback service that the predictor sends records to; empty: none.
    feedback_url: str
    #: File with the token that callers of the feedback service bring; empty: none.
    feedback_token_file: str
    #: File that holds the PostgreSQL address; empty: none.
    database_url_file: str
    #: The PostgreSQL address itself. It holds a password: use `database_url`, show neither.
    database_url_value: str = field(default="", repr=False)
    #: Who the MLflow server is asked as; empty: nobody.
    tracking_user: str = ""
    tracking_password: str = field(default="", repr=False)
    #: A bearer token in place of user and password.
    tracking_token: str = field(default="", repr=False)
    #: The retune trigger's token itself; show it nowhere.
    retune_token: str = field(default="", repr=False)
    #: The feedback service's token itself; show it nowhere.
    feedback_token: str = field(default="", repr=False)

    @property
    def database_url(self) -> str:
        """``postgresql://user:password@host/name``, "" where everything lies in folders. Never log it.

        Raises:
            StateError: the file that should hold it cannot be read.
        """
        if self.database_url_value or not self.database_url_file:
            return self.database_url_value
        try:
            return Path(self.database_url_file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise StateError(
                "the file with the database's address cannot be read",
                key="MINORKEY_DATABASE_URL_FILE",
                value=self.database_url_file,
                allowed="a file that holds postgresql://USER:PASSWORD@HOST/NAME",
                remedy="check that it is mounted, that this user may read it and that it holds text",
            ) from None


def settings() -> Settings:
    """The settings as the environment has them now.

    Raises:
        StateError: a number is none.
    """
    home = Path(os.environ.get("MINORKEY_HOME", ".minorkey")).absolute()
    return Settings(
        home=home,
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{home}/mlflow.db"),
        tracking_password_file=os.environ.get("MINORKEY_TRACKING_PASSWORD_FILE", ""),
        bundle_root=os.environ.get("MINORKEY_BUNDLE_ROOT", str(home / "bundles")),
        events=os.environ.get("MINORKEY_EVENTS", ""),
        error=os.environ.get("MINORKEY_ERROR", ""),
        run_key=os.environ.get("MINORKEY_RUN_KEY", ""),
        study_root=os.environ.get("MINORKEY_STUDY_ROOT", ""),
        fold_store_bytes=_bytes("MINORKEY_FOLD_STORE_BYTES", 20 * 2**30),
        owner_lock=os.environ.get("MINORKEY_OWNER_LOCK", ""),
        kubernetes_credentials=os.environ.get("MINORKEY_KUBERNETES_CREDENTIALS", ""),
        git_credentials=os.environ.get("MINORKEY_GIT_CREDENTIALS", ""),
        s3_region=os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION", "")),
        retune_token_file=os.environ.get("MINORKEY_RETUNE_TOKEN_FILE", ""),
        feedback_url=os.environ.get("MINORKEY_FEEDBACK_URL", ""),
        feedback_token_file=os.environ.get("MINORKEY_FEEDBACK_TOKEN_FILE", ""),
        database_url_file=os.environ.get("MINORKEY_DATABASE_URL_FILE", ""),
        database_url_value=os.environ.get("MINORKEY_DATABASE_URL", ""),
        tracking_user=os.environ.get("MLFLOW_TRACKING_USERNAME", ""),
        tracking_password=os.environ.get("MLFLOW_TRACKING_PASSWORD", ""),
        tracking_token=os.environ.get("MLFLOW_TRACKING_TOKEN", ""),
        retune_token=os.environ.get("MINORKEY_RETUNE_TOKEN", ""),
        feedback_token=os.environ.get("MINORKEY_FEEDBACK_TOKEN", ""),
    )


def _bytes(name: str, default: int) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise StateError(
            "the environment variable is no number of bytes",
            key=name,
            value=text,
            allowed=f"a whole number of at least 1, such as {default}",
            remedy="correct it, or leave it unset",
        )
    return int(text)


@contextmanager
def alone(values: Mapping[str, str]) -> Iterator[None]:
    """Settings for this process and all that it starts, in place of every one that the environment has.

    Args:
        values: variables that begin with ``MINORKEY_`` or ``MLFLOW_``; afterwards all is as before.
    """

    def ours() -> dict[str, str]:
        return {
            name: value for name, value in os.environ.items() if name.startswith(("MINORKEY_", "MLFLOW_"))
        }

    before = ours()
    try:
        for name in before:
            del os.environ[name]
        os.environ.update(values)
        yield
    finally:
        for name in ours():
            del os.environ[name]
        os.environ.update(before)
