"""Where the cluster reads a registered bundle."""

from pathlib import PurePosixPath

from minorkey.cluster.spec import Stores
from minorkey.errors import StateError

__all__ = ["storage_uri"]

#: What KServe's storage initializer downloads by itself, given the Secret of the service account.
_SCHEMES = ("s3", "gs", "hdfs", "webhdfs")


def storage_uri(bundle_uri: str, stores: Stores) -> str:
    """The storage URI of a bundle: itself in a bucket, ``pvc://CLAIM/PATH`` on a volume.

    Args:
        bundle_uri: where it was registered.
        stores: the cluster's.

    Raises:
        StateError: the cluster's pods cannot read it.
    """
    uri = bundle_uri.rstrip("/")
    scheme = uri.partition("://")[0] if "://" in uri else ""
    if scheme in _SCHEMES:
        return uri
    path = PurePosixPath(uri.removeprefix("file://"))
    mount = PurePosixPath(stores.bundle_mount)
    if scheme in ("", "file") and stores.bundle_volume and path.is_relative_to(mount):
        return f"pvc://{stores.bundle_volume}/{path.relative_to(mount)}"
    raise StateError(
        "the pods of the cluster cannot read the bundle",
        key="bundle_uri",
        value=bundle_uri,
        allowed=f"{', '.join(f'{known}://' for known in _SCHEMES)}, or a folder below {mount} on the volume "
        "claim stores.bundle_volume",
        remedy="register the version with a bundle root that the cluster reads (stores.bundle_root)",
    )
