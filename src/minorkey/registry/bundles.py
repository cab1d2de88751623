"""Where registered bundles lie: one folder for each digest under ``settings().bundle_root``."""

import os
import shutil
from pathlib import Path
from typing import Protocol

import fsspec

from minorkey.bundle.bundle import Bundle
from minorkey.bundle.manifest import MANIFEST
from minorkey.errors import BundleError, StateError
from minorkey.settings import settings
from minorkey.stores.bucket import Bucket

__all__ = ["check_bundle_root", "fetch_bundle", "store_bundle"]

#: Attempts of the first request: a wrong address is told in seconds.
_FIRST_ATTEMPTS = 4


def check_bundle_root() -> None:
    """Before any work: the bucket of registered bundles is there and takes these credentials.

    Raises:
        StateError: it is missing, refuses or does not answer.
    """
    root = settings().bundle_root
    if root.startswith("s3://"):
        Bucket(root, attempts=_FIRST_ATTEMPTS).get(MANIFEST)


def store_bundle(folder: Path, digest: str) -> str:
    """Copy a bundle to ``bundle_root/<digest>``; one that is there already is verified instead.

    Args:
        folder: the bundle, as `minorkey.bundle.bundle.write_bundle` left it.
        digest: its digest.

    Returns:
        Path or URI of the copy.

    Raises:
        BundleError: what lies there under this digest is another bundle.
        StateError: the folder or bucket cannot be written.
    """
    root = settings().bundle_root.rstrip("/")
    remote = _is_remote(root)
    uri = f"{root}/{digest}" if remote else str(Path(root).absolute() / digest)
    try:
        if remote:
            _store_remote(folder, uri)
        else:
            _store_local(folder, Path(uri))
    except OSError as error:
        raise StateError(
            f"the bundle cannot be stored: {error}",
            key="MINORKEY_BUNDLE_ROOT",
            value=root,
            allowed="a writable folder or an fsspec URI",
            remedy="check its permissions and free space, or set MINORKEY_BUNDLE_ROOT",
        ) from None
    stored = fetch_bundle(uri)
    found = Bundle.load(stored).digest
    if found != digest:
        raise _altered(uri, found, digest)
    return uri


def fetch_bundle(uri: str) -> Path:
    """A local folder that holds the bundle at a path or URI.

    Bundles behind a URI are downloaded once to ``settings().home/downloads/<digest>``; `Bundle.load`
    verifies them like any other.

    Raises:
        BundleError: there is no bundle.
        StateError: it cannot be downloaded.
    """
    if not _is_remote(uri):
        path = Path(uri.removeprefix("file://"))
        if not (path / MANIFEST).is_file():
            raise _absent(uri)
        return path
    target = settings().home / "downloads" / uri.rstrip("/").rpartition("/")[2]
    if not (target / MANIFEST).is_file():
        try:
            _download(uri, target)
        except OSError as error:
            raise StateError(
                f"the bundle cannot be downloaded: {error}",
                key=uri,
                remedy="check the address and the credentials of its store",
            ) from None
    return target


def _absent(uri: str) -> BundleError:
    return BundleError(
        "there is no bundle",
        key=uri,
        allowed=f"a folder with {MANIFEST}",
        remedy="register the model again",
    )


def _is_remote(uri: str) -> bool:
    return "://" in uri and not uri.startswith("file://")


def _store_local(folder: Path, target: Path) -> None:
    if target.exists():
        return
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        aside.rename(target)
    except OSError:
        # Another process may have stored the same digest meanwhile: theirs is as good.
        if not target.exists():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _store_remote(folder: Path, uri: str) -> None:
    """Upload every file, the manifest last: where it is, the bundle is whole."""
    store = _store(uri)
    if store.get(MANIFEST) is not None:
        return
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.name == MANIFEST):
        store.put(path.relative_to(folder).as_posix(), path.read_bytes())


def _download(uri: str, target: Path) -> None:
    store = _store(uri)
    if store.get(MANIFEST) is None:
        raise _absent(uri)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        for name in store.list(""):
            path = aside / name
            if not path.resolve().is_relative_to(aside.resolve()):
                raise BundleError(
                    "a file of the bundle lies outside of it",
                    key=f"{uri}/{name}",
                    allowed="paths below the bundle's own folder",
                    remedy="do not trust this bundle; find out who wrote to the store, and register it again",
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.get(name) or b"")
        if not target.exists():
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


class _Store(Protocol):
    def put(self, key: str, content: bytes) -> None: ...

    def get(self, key: str) -> bytes | None: ...

    def list(self, prefix: str) -> list[str]: ...


def _store(uri: str) -> _Store:
    return Bucket(uri) if uri.startswith("s3://") else _Filesystem(uri)


class _Filesystem:
    """Objects under a URI of any other scheme that fsspec knows."""

    def __init__(self, uri: str) -> None:
        store, root = fsspec.core.url_to_fs(uri)
        self._store, self._root = store, str(root)

    def put(self, key: str, content: bytes) -> None:
        self._store.pipe_file(f"{self._root}/{key}", content)

    def get(self, key: str) -> bytes | None:
        try:
            content: bytes = self._store.cat_file(f"{self._root}/{key}")
        except FileNotFoundError:
            return None
        return content

    def list(self, prefix: str) -> list[str]:
        return [
            str(name)[len(self._root) :].lstrip("/") for name in self._store.find(f"{self._root}/{prefix}")
        ]


def _altered(uri: str, found: str, expected: str) -> BundleError:
    return BundleError(
        "another bundle lies under this digest",
        key=uri,
        value=found,
        allowed=expected,
        remedy="remove that folder and register again",
    )
