"""Versions of pipelines on a Kubeflow Pipelines server: uploaded once, named by digest, found again."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp
from kfp_server_api import ApiException

from minorkey.errors import SpecError, StateError
from pipelines.kubeflow import Server

__all__ = ["known", "named", "present", "uploaded", "version_of"]


def version_of(name: str, package: Path) -> str:
    """What the version of a package is called on a server: the pipeline's name and the package's digest.

    Raises:
        SpecError: the package cannot be read.
    """
    try:
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
    except OSError as error:
        raise SpecError(
            "the compiled pipeline cannot be read",
            key="--package",
            value=error,
            remedy="write it with minorkey compile --out build",
        ) from None
    return f"{name}-{digest[:12]}"


def known(client: kfp.Client, name: str, version: str, server: Server) -> Any:
    """A version that the server has.

    Args:
        client: speaks to the server.
        name: of the pipeline.
        version: name of its version, "" for the newest.
        server: where.

    Raises:
        StateError: there is no such pipeline or version.
    """
    identity = _pipeline(client, name, server)
    if not identity:
        raise StateError(
            "there is no such pipeline",
            key=f"pipeline {name}",
            value=server.host,
            remedy="upload it with the run: --package build/tune.yaml, which minorkey compile writes",
        )
    found = _version(client, identity, version)
    if found is None:
        raise StateError(
            "the pipeline has no such version",
            key=f"pipeline {name}",
            value=version or "no version at all",
            remedy="leave --pipeline-version out for the newest, or upload one with --package",
        )
    return found


def present(client: kfp.Client, name: str, package: Path, server: Server) -> Any:
    """The version of a package, None while the server does not have it.

    Raises:
        SpecError: the package cannot be read.
    """
    identity = _pipeline(client, name, server)
    return _version(client, identity, version_of(name, package)) if identity else None


def uploaded(client: kfp.Client, name: str, package: Path, server: Server) -> Any:
    """The version of a package, which is uploaded if the server does not have it yet.

    Raises:
        SpecError: the package cannot be read.
    """
    version = version_of(name, package)
    identity = _pipeline(client, name, server)
    if not identity:
        with _made_meanwhile():
            client.upload_pipeline(str(package), name, namespace=server.namespace or None)
        identity = _pipeline(client, name, server)
    found = _version(client, identity, version)
    if found is None:
        with _made_meanwhile():
            return client.upload_pipeline_version(str(package), version, pipeline_id=identity)
        found = _version(client, identity, version)
    return found


def named(name: str, *, key: str = "display_name") -> str:
    """The filter for what is displayed by a name, or has this value in another field."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": key, "stringValue": name}]})


def _pipeline(client: kfp.Client, name: str, server: Server) -> str:
    found = client.list_pipelines(filter=named(name), namespace=server.namespace or None).pipelines
    return str(found[0].pipeline_id) if found else ""


def _version(client: kfp.Client, identity: str, version: str) -> Any:
    """The version of that name, or the newest where none is given."""
    chosen = {"filter": named(version)} if version else {}
    found = client.list_pipeline_versions(
        identity, sort_by="created_at desc", page_size=1, **chosen
    ).pipeline_versions
    return found[0] if found else None


@contextlib.contextmanager
def _made_meanwhile() -> Iterator[None]:
    """What somebody else has made in between is there, which is all that is asked."""
    try:
        yield
    except ApiException as error:
        if error.status != 409:
            raise
