"""Whether the stores are reached from here, with the credentials that the environment holds."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from minorkey.cluster.findings import Finding, fine, problem, unseen
from minorkey.cluster.spec import ClusterSpec
from minorkey.errors import InputError, StateError
from minorkey.settings import settings
from minorkey.tracking import sign_in

__all__ = ["check_stores"]

_SECONDS = 10.0
_INSIDE = "a name inside the cluster is reached from a pod: run minorkey doctor there too"


def check_stores(spec: ClusterSpec) -> Iterator[Finding]:
    """Look at study root, bundle root, database and MLflow."""
    stores = spec.stores
    for name, root, mount in (
        ("study root", stores.study_root, spec.trials.study_mount),
        ("bundle root", stores.bundle_root, stores.bundle_mount),
    ):
        if root.startswith("s3://"):
            yield _bucket(name, root, stores.artifact_secret)
        else:
            yield _folder(name, Path(root), Path(mount))
    yield _database(stores.database_secret)
    yield _tracking(stores.tracking_uri, stores.tracking_secret)


def _bucket(name: str, root: str, secret: str) -> Finding:
    from minorkey.stores.bucket_problems import NO_CREDENTIALS
    from minorkey.trials.study_root import open_root

    try:
        open_root(root).list("doctor/")
    except InputError as error:
        if error.problem == NO_CREDENTIALS:
            where = f"as in Secret {secret}" if secret else "or give this machine a role that may use it"
            return unseen(
                name,
                f"{root} is not looked at: {error.problem} here",
                f"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY {where}",
            )
        return problem(name, f"{root}: {error.problem}", error.remedy or _INSIDE)
    return fine(name, root)


def _folder(name: str, root: Path, mount: Path) -> Finding:
    if not mount.is_dir():
        return unseen(
            name, f"{root} is not looked at: {mount} is not mounted here", "run minorkey doctor in a pod, too"
        )
    existing = next(one for one in (root, *root.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"doctor")
            file.flush()
    except OSError as error:
        return problem(
            name,
            f"{existing} cannot be written: {error.strerror}",
            "let the image's user (10001), or its group, write to the volume",
        )
    return fine(name, str(root))


def _database(secret: str) -> Finding:
    from minorkey.stores.database import connection, shown

    try:
        url = settings().database_url
        if not url:
            return unseen(
                "database",
                "no address is known here",
                f"set MINORKEY_DATABASE_URL_FILE to a file with key url of Secret {secret}",
            )
        with connection(url) as opened:
            opened.execute("SELECT 1")
    except InputError as error:
        return problem("database", error.problem, error.remedy or _INSIDE)
    return fine("database", shown(url))


def _tracking(uri: str, secret: str) -> Finding:
    try:
        answer = httpx.get(f"{uri.rstrip('/')}/health", timeout=_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        text = f"MLflow at {uri} is not reached: {type(error).__name__}: {error}"
        return problem("tracking", text, f"check stores.tracking_uri; {_INSIDE}")
    if answer.status_code != 200:
        text = f"MLflow at {uri} answers {answer.status_code}"
        return problem("tracking", text, "check stores.tracking_uri and the server's log")
    return _login(uri, secret)


def _login(uri: str, secret: str) -> Finding:
    """Whether the server lets in whom the environment names, as it does a run's steps."""
    named = settings().tracking_user or settings().tracking_token
    try:
        sign_in(uri, _SECONDS)
    except StateError as error:
        if secret and not named:
            return unseen(
                "tracking",
                f"MLflow at {uri} wants a user, and none is known here",
                f"set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD as in Secret {secret}",
            )
        remedy = f"{error.remedy}; on the cluster: stores.tracking_secret"
        return problem("tracking", f"MLflow at {uri}: {error.problem}", remedy)
    except httpx.HTTPError as error:
        text = f"MLflow at {uri} does not answer as expected: {error}"
        return problem("tracking", text, "check stores.tracking_uri and the server's log")
    return fine("tracking", uri)
