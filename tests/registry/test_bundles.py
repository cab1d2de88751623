from pathlib import Path

import fsspec
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.errors import BundleError, StateError
from minorkey.registry import fetch_bundle, store_bundle
from tests.serving.bundles import small_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(tmp_path_factory.mktemp("bundle") / "first")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MINORKEY_BUNDLE_ROOT", raising=False)


def test_a_bundle_is_stored_once_under_its_digest(bundle: Bundle, tmp_path: Path) -> None:
    uri = store_bundle(bundle.folder, bundle.digest)
    assert Path(uri) == tmp_path / "home" / "bundles" / bundle.digest
    before = {path: path.stat().st_mtime_ns for path in Path(uri).iterdir()}
    assert store_bundle(bundle.folder, bundle.digest) == uri
    assert {path: path.stat().st_mtime_ns for path in Path(uri).iterdir()} == before
    assert [path.name for path in Path(uri).parent.iterdir()] == [bundle.digest]
    assert Bundle.load(fetch_bundle(uri)).digest == bundle.digest


def test_an_altered_copy_is_not_taken_for_the_bundle(bundle: Bundle) -> None:
    uri = store_bundle(bundle.folder, bundle.digest)
    (Path(uri) / "model.onnx").write_bytes(b"altered")
    with pytest.raises(BundleError):
        store_bundle(bundle.folder, bundle.digest)


def test_another_bundle_under_the_digest_is_named(bundle: Bundle, tmp_path: Path) -> None:
    small_bundle(tmp_path / "home" / "bundles" / bundle.digest, seed=1)
    with pytest.raises(BundleError, match="another bundle"):
        store_bundle(bundle.folder, bundle.digest)


def test_a_bundle_behind_a_uri(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", "memory://bundles")
    uri = store_bundle(bundle.folder, bundle.digest)
    assert uri == f"memory://bundles/{bundle.digest}"
    fetched = fetch_bundle(uri)
    assert fetched == tmp_path / "home" / "downloads" / bundle.digest
    assert Bundle.load(fetched).digest == bundle.digest
    fsspec.filesystem("memory").rm("/bundles", recursive=True)
    assert fetch_bundle(uri) == fetched


def test_an_absent_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle"):
        fetch_bundle(str(tmp_path / "nowhere"))
    with pytest.raises(StateError, match="downloaded"):
        fetch_bundle("memory://nowhere/0123")


def test_a_root_that_cannot_be_written_is_named(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", str(file / "bundles"))
    with pytest.raises(StateError) as caught:
        store_bundle(bundle.folder, bundle.digest)
    assert caught.value.key == "MINORKEY_BUNDLE_ROOT"
