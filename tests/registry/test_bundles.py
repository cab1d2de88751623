from pathlib import Path

import fsspec
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.errors import BundleError, StateError
from minorkey.registry import check_bundle_root, fetch_bundle, store_bundle
from minorkey.stores.bucket import Bucket
from tests.serving.bundles import small_bundle
from tests.stores.s3 import S3


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
    with pytest.raises(BundleError, match="no bundle"):
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


def test_a_bundle_in_a_bucket(
    bundle: Bundle, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", s3)
    check_bundle_root()
    uri = store_bundle(bundle.folder, bundle.digest)
    assert uri == f"{s3}/{bundle.digest}"
    assert store_bundle(bundle.folder, bundle.digest) == uri
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "another-machine"))
    fetched = fetch_bundle(uri)
    assert fetched == tmp_path / "another-machine" / "downloads" / bundle.digest
    assert Bundle.load(fetched).digest == bundle.digest


def test_an_upload_that_was_cut_short_is_done_again(
    bundle: Bundle, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", s3)
    Bucket(f"{s3}/{bundle.digest}").put("model.onnx", b"half of it")
    with pytest.raises(BundleError, match="no bundle"):
        fetch_bundle(f"{s3}/{bundle.digest}")
    assert Bundle.load(fetch_bundle(store_bundle(bundle.folder, bundle.digest))).digest == bundle.digest


def test_a_bucket_that_is_missing_or_refuses_is_named(
    bundle: Bundle, s3: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", "s3://no-such-bucket/bundles")
    for ask in (check_bundle_root, lambda: store_bundle(bundle.folder, bundle.digest)):
        with pytest.raises(StateError, match="no-such-bucket") as caught:
            ask()
        assert "create the bucket" in caught.value.remedy
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.powerless[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.powerless[1])
    with pytest.raises(StateError, match="refuses these credentials"):
        check_bundle_root()
