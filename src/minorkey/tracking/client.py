"""The connection to MLflow: SQLite in ``settings().home`` by default, else ``MLFLOW_TRACKING_URI``.

Importing MLflow takes seconds, so it happens inside the functions that need it.
"""

import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock

from minorkey.errors import StateError
from minorkey.secret_file import read_secret
from minorkey.settings import settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["ABSENT", "champion_version", "client", "reaching", "refused", "take_password", "version_of"]

#: Error codes by which MLflow says that a model, a version or an alias does not exist.
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def champion_version(model: str) -> str:
    """Version that the alias ``champion`` points to, "" if there is none.

    Raises:
        StateError: the tracking server does not answer.
    """
    return version_of(model, "champion")


def version_of(model: str, alias: str) -> str:
    """Version that an alias of a registered model points to, "" if there is none.

    Raises:
        StateError: the tracking server does not answer.
    """
    if _is_empty():
        return ""
    mlflow = client()
    from mlflow.exceptions import MlflowException

    with reaching():
        try:
            return str(mlflow.get_model_version_by_alias(model, alias).version)
        except MlflowException as error:
            if error.error_code in ABSENT:
                return ""
            raise


def client() -> "MlflowClient":
    """A client of the tracking server and the registry, quiet and without telemetry.

    Raises:
        StateError: nothing listens at the server's address.
    """
    uri = settings().tracking_uri
    _refuse_silence(uri)
    take_password()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

    with reaching():
        if _is_empty():
            _create_store()
        mlflow.set_tracking_uri(uri)
        return mlflow.MlflowClient()


@contextmanager
def reaching() -> Iterator[None]:
    """Turn what MLflow raises into a `StateError` that names the server and a remedy."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise refused(reason, getattr(error, "error_code", "")) or _unreachable(reason) from error


def take_password() -> None:
    """MLflow takes its password from the environment alone; a mounted Secret is a file."""
    path = settings().tracking_password_file
    if path:
        os.environ["MLFLOW_TRACKING_PASSWORD"] = read_secret(
            Path(path), "MLflow's password", key="MINORKEY_TRACKING_PASSWORD_FILE"
        )


def refused(reason: str, code: str) -> StateError | None:
    """The error of a server that answers, but not to this user; None if that is not the matter."""
    if code == "UNAUTHENTICATED" or "error code 401" in reason:
        return StateError(
            "the MLflow server does not know this user and password",
            key="MLFLOW_TRACKING_USERNAME",
            value=settings().tracking_uri,
            allowed="a user of the server, with the password",
            remedy="set MLFLOW_TRACKING_USERNAME, and MLFLOW_TRACKING_PASSWORD or "
            "MINORKEY_TRACKING_PASSWORD_FILE",
        )
    if code == "PERMISSION_DENIED" or "error code 403" in reason:
        return StateError(
            f"the MLflow server does not let this user do that: {reason}",
            key="MLFLOW_TRACKING_USERNAME",
            value=settings().tracking_uri,
            allowed="a user who may edit the model's experiment and registered model",
            remedy="have an administrator grant EDIT, or use another user",
        )
    return None


def _is_empty() -> bool:
    """Whether the tracking store is a SQLite file that does not exist yet: told without MLflow."""
    path = _sqlite_file()
    return path is not None and not path.exists()


def _sqlite_file() -> Path | None:
    uri = settings().tracking_uri
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///").partition("?")[0])


def _create_store() -> None:
    """Make the database aside and rename it: MLflow does not survive two creators, nor half a creation."""
    from mlflow import MlflowClient

    path = _sqlite_file()
    assert path is not None  # noqa: S101
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.exists():
            return
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            aside.unlink(missing_ok=True)
            MlflowClient(tracking_uri=f"sqlite:///{aside}").search_experiments(max_results=1)
            aside.rename(path)
        finally:
            for left in (aside, aside.with_name(f"{aside.name}-journal")):
                left.unlink(missing_ok=True)


def _refuse_silence(uri: str) -> None:
    """MLflow retries a dead address for minutes: find out in seconds."""
    address = urlsplit(uri)
    if address.scheme not in ("http", "https") or not address.hostname:
        return
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname, port), timeout=5).close()
    except (OSError, ValueError) as error:
        raise _unreachable(str(error)) from None


def _unreachable(reason: str) -> StateError:
    if _sqlite_file() is not None and "disk" in reason:
        return StateError(
            f"MLflow's database cannot be written: {reason}",
            key="MLFLOW_TRACKING_URI",
            value=settings().tracking_uri,
            allowed="a folder with room that you may write to",
            remedy="make room, or set MINORKEY_HOME to another folder",
        )
    if "out-of-date database schema" in reason:
        return StateError(
            "MLflow's database is of another version of MLflow",
            key="MLFLOW_TRACKING_URI",
            value=reason.split(". ")[0],
            allowed="a database of the version that is installed",
            remedy=f"back it up, then mlflow db upgrade {settings().tracking_uri}; or, after going back to "
            "an earlier minorkey, restore the backup",
        )
    return StateError(
        f"MLflow does not answer as expected: {reason}",
        key="MLFLOW_TRACKING_URI",
        value=settings().tracking_uri,
        allowed="an MLflow 3 server or sqlite:///FILE",
        remedy="check that the server runs and that the address is right, "
        "or unset MLFLOW_TRACKING_URI to use SQLite in MINORKEY_HOME",
    )
