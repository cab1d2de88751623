"""Model versions in MLflow's registry: written once a run and bundle, found by alias."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from filelock import FileLock, Timeout

from minorkey.bundle.bundle import Bundle
from minorkey.errors import StateError
from minorkey.registry.graph_log import lineage_tags, log_graph
from minorkey.settings import settings
from minorkey.tracking import RunTracker, client, reaching, version_of
from minorkey.tracking.client import ABSENT

__all__ = [
    "COMPARED",
    "bundle_of_version",
    "digest_of_version",
    "model_lock",
    "of_one_run",
    "reason_of_version",
    "register_version",
    "resolve_reference",
    "tags_of_version",
    "version_to_beat",
]

_LOCK_SECONDS = 60
_RUN_KEY = "minorkey.run_key"
#: Tag: the champion that a version was compared with, "" for none.
COMPARED = "minorkey.compared_with"


def bundle_of_version(model: str, version: str) -> str:
    """Path or URI of the bundle of a registered version.

    Raises:
        StateError: there is no such version, or minorkey did not register it.
    """
    mlflow = client()
    from mlflow.exceptions import MlflowException

    with reaching():
        try:
            tags = mlflow.get_model_version(model, version).tags
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            tags = {}
    uri = tags.get("minorkey.bundle_uri", "")
    if not uri:
        raise StateError(
            "the registry has no bundle of this version",
            key=f"{model}/{version}",
            allowed="a version that `minorkey run` registered",
            remedy="see the versions in MLflow's page",
        )
    return str(uri)


def resolve_reference(reference: str, *, key: str = "--model") -> tuple[str, str, str]:
    """What ``NAME@ALIAS`` or ``NAME@VERSION`` points to.

    Args:
        reference: the text.
        key: the option that holds it, for the message.

    Returns:
        Model name, alias ("" for a fixed version) and version.

    Raises:
        StateError: the reference has another form, or the registry has no such thing.
    """
    model, _, pointed = reference.partition("@")
    alias = "" if pointed.isdecimal() else pointed
    version = version_of(model, alias) if alias else pointed
    if not model or not version:
        raise StateError(
            "the registry has no such model",
            key=key,
            value=reference,
            allowed="NAME@ALIAS (as in minorkey@champion) or NAME@VERSION",
            remedy="run `minorkey run` first, or check MINORKEY_HOME and MLFLOW_TRACKING_URI",
        )
    return model, alias, version


def version_to_beat(model: str, run_key: str) -> str:
    """The champion that a run is compared with, "" for none: the same however often the run is resumed.

    A run that was killed after one of its own versions became champion is compared with the champion before.

    Raises:
        StateError: the tracking server does not answer.
    """
    champion = version_of(model, "champion")
    tags = tags_of_version(model, champion) if champion else {}
    return tags.get(COMPARED, champion) if tags.get(_RUN_KEY) == run_key else champion


def register_version(
    model: str,
    run_key: str,
    bundle: Bundle,
    bundle_uri: str,
    tracker: RunTracker,
    tags: Mapping[str, Any],
    *,
    compared_with: str = "",
) -> str:
    """Write a model version with its lineage and set the alias ``challenger``.

    The same run and bundle are registered once: a second call finds the version of the first.

    Args:
        model: name of the registered model.
        run_key: identity of the pipeline run.
        bundle: what ships.
        bundle_uri: where `minorkey.registry.store_bundle` put it.
        tracker: the run that the model is logged to.
        tags: more tags of the version.
        compared_with: the champion that it was compared with, "" for none.

    Returns:
        The version.

    Raises:
        StateError: the tracking server does not answer.
    """
    mlflow = client()
    with reaching(), model_lock(f"register-{model}"):
        version = _registered(mlflow, model, run_key, bundle.digest)
        if not version:
            lineage = lineage_tags(bundle, run_key, bundle_uri)
            lineage |= {key: str(value) for key, value in tags.items()} | {COMPARED: compared_with}
            source, model_id = log_graph(bundle, tracker, lineage)
            _ensure_model(mlflow, model)
            version = str(
                mlflow.create_model_version(
                    model, source=source, run_id=tracker.run_id, tags=lineage, model_id=model_id
                ).version
            )
        # A run that is resumed late must not take the alias from a newer one.
        if int(version_of(model, "challenger") or 0) < int(version):
            mlflow.set_registered_model_alias(model, "challenger", version)
    return version


def of_one_run(model: str, *versions: str) -> bool:
    """Whether versions were registered by the same pipeline run.

    Raises:
        StateError: the tracking server does not answer.
    """
    return len({tags_of_version(model, version).get(_RUN_KEY, version) for version in versions}) == 1


def tags_of_version(model: str, version: str) -> dict[str, str]:
    """The tags of a registered version.

    Raises:
        StateError: the tracking server does not answer.
    """
    with reaching():
        return dict(client().get_model_version(model, version).tags)


def digest_of_version(model: str, version: str) -> str:
    """Digest of the bundle of a registered version, "" if minorkey did not register it.

    Raises:
        StateError: the tracking server does not answer.
    """
    return tags_of_version(model, version).get("minorkey.digest", "")


def reason_of_version(model: str, version: str) -> str:
    """Why the gate promoted a version, "" if that is not known.

    Raises:
        StateError: the tracking server does not answer.
    """
    return tags_of_version(model, version).get("minorkey.decision_reason", "")


def _registered(mlflow: Any, model: str, run_key: str, digest: str) -> str:
    found = mlflow.search_model_versions(
        f"name = '{model}' and tags.`minorkey.run_key` = '{run_key}' and tags.`minorkey.digest` = '{digest}'"
    )
    return min((str(version.version) for version in found), key=int, default="")


def _ensure_model(mlflow: Any, model: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        mlflow.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def model_lock(name: str) -> Iterator[None]:
    """Hold a lock of this machine on what is done to a model.

    Raises:
        StateError: another process has held it for a minute.
    """
    folder = settings().home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lock"
    try:
        with FileLock(path, timeout=_LOCK_SECONDS):
            yield
    except Timeout:
        raise StateError(
            "another process is registering or promoting this model",
            key=str(path),
            remedy="wait until it has finished, or end it",
        ) from None
