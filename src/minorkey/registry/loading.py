"""The bundle of a registered version, fetched, verified and loaded."""

from minorkey.bundle.bundle import Bundle
from minorkey.registry.bundles import fetch_bundle
from minorkey.registry.versions import bundle_of_version

__all__ = ["load_version"]


def load_version(model: str, version: str) -> Bundle:
    """Load what a version serves.

    Raises:
        StateError: there is no such version, minorkey did not register it, or its store does not answer.
        BundleError: the bundle is altered, foreign or gone.
    """
    return Bundle.load(fetch_bundle(bundle_of_version(model, version)))
