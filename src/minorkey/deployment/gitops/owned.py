"""The one file that a model owns in a repository: its InferenceService, or a kustomize patch for it."""

from dataclasses import dataclass

from minorkey.deployment.gitops.document import Place, replaced, value_at
from minorkey.errors import StateError

__all__ = ["DIGEST", "FILE", "KIND", "VERSION", "Shipped", "path_of", "shipped", "with_release"]

FILE = "inferenceservice.yaml"
KIND = "InferenceService"
#: What a predictor's pods carry, and what their command line reads from there.
DIGEST = "minorkey.io/digest"
VERSION = "minorkey.io/version"

_PREDICTOR = ("spec", "predictor")
_URI = Place(KIND, (*_PREDICTOR, "model", "storageUri"))
_DIGEST = Place(KIND, (*_PREDICTOR, "annotations", DIGEST))
_VERSION = Place(KIND, (*_PREDICTOR, "labels", VERSION))


@dataclass(frozen=True)
class Shipped:
    """What a file says is to serve.

    Attributes:
        bundle_uri: where the bundle lies, "" if nothing was shipped yet.
        digest: the bundle's digest, "" likewise.
        version: the registered version that ships it, "" likewise.
    """

    bundle_uri: str
    digest: str
    version: str


def path_of(folder: str, model: str) -> str:
    """Path of a model's file.

    Args:
        folder: folder of a model, with ``{model}`` where its name goes.
        model: the model's name.
    """
    return f"{folder.replace('{model}', model).strip('/')}/{FILE}"


def shipped(text: str, file: str) -> Shipped:
    """What a file says is to serve.

    Args:
        text: the file.
        file: its path, for errors.

    Raises:
        StateError: the file lacks one of the three values, or they do not belong together.
    """
    found = Shipped(*(value_at(text, place, file=file) for place in (_URI, _DIGEST, _VERSION)))
    if not found.digest and not found.bundle_uri:
        return found
    if found.bundle_uri.rstrip("/").rpartition("/")[2] != found.digest:
        raise StateError(
            "bundle and digest of a model's file do not belong together",
            key=file,
            value=f"{_URI}: {found.bundle_uri}; {_DIGEST}: {found.digest}",
            allowed="a bundle whose last part is the digest",
            remedy="see `git log` of the file for who changed one of them alone, and revert that",
        )
    return found


def with_release(text: str, release: Shipped, file: str) -> str:
    """The file with another bundle, its digest and its version; all else is as it was.

    Raises:
        StateError: the file lacks one of the three values.
    """
    values = {_URI: release.bundle_uri, _DIGEST: release.digest, _VERSION: release.version}
    return replaced(text, values, file=file)
