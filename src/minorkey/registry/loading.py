"""The bundle of a registered version, fetched, verified and loaded."""

from typing import Any

from minorkey.bundle.bundle import Bundle
from minorkey.registry.bundles import fetch_bundle
from minorkey.registry.versions import bundle_of_version, resolve_reference

__all__ = ["data_section", "load_version"]


def load_version(model: str, version: str) -> Bundle:
    """Load what a version serves.

    Raises:
        StateError: there is no such version, minorkey did not register it, or its store does not answer.
        BundleError: the bundle is altered, foreign or gone.
    """
    return Bundle.load(fetch_bundle(bundle_of_version(model, version)))


def data_section(model: str) -> dict[str, Any]:
    """The data section of a specification that reads rows as the champion's training did.

    Raises:
        StateError: the model has no champion.
    """
    *_, version = resolve_reference(f"{model}@champion")
    schema = load_version(model, version).info.schema
    return {
        "target": schema.target,
        "positive": schema.positive,
        "features": schema.names(),
        "keep": schema.names(),
        "categorical": schema.names("categorical"),
        "options": dict(schema.reading),
        **schema.roles,
    }
