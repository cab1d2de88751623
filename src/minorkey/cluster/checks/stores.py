"""Whether the stores are reached from here, with the credentials that the environment holds."""

from collections.abc import Iterator

import httpx

from minorkey.cluster.findings import Finding, fine, problem, unseen
from minorkey.cluster.spec import ClusterSpec
from minorkey.errors import InputError
from minorkey.settings import settings

__all__ = ["check_stores"]

_SECONDS = 10.0
_INSIDE = "a name inside the cluster is reached from a pod: run minorkey doctor there too"


def check_stores(spec: ClusterSpec) -> Iterator[Finding]:
    """Look at study root, bundle root, database and MLflow."""
    stores = spec.stores
    for name, root in (("study root", stores.study_root), ("bundle root", stores.bundle_root)):
        if root.startswith("s3://"):
            yield _bucket(name, root)
        else:
            yield unseen(
                name, f"{root} is not looked at from here", "it is looked at when the first run writes to it"
            )
    yield _database(stores.database_secret)
    yield _tracking(stores.tracking_uri)


def _bucket(name: str, root: str) -> Finding:
    from minorkey.trials.study_root import open_root

    try:
        open_root(root).list("doctor/")
    except InputError as error:
        return problem(name, f"{root}: {error.problem}", error.remedy or _INSIDE)
    return fine(name, root)


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


def _tracking(uri: str) -> Finding:
    try:
        answer = httpx.get(f"{uri.rstrip('/')}/health", timeout=_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        text = f"MLflow at {uri} is not reached: {type(error).__name__}: {error}"
        return problem("tracking", text, f"check stores.tracking_uri; {_INSIDE}")
    if answer.status_code != 200:
        text = f"MLflow at {uri} answers {answer.status_code}"
        return problem("tracking", text, "check stores.tracking_uri and the server's log")
    return fine("tracking", uri)
