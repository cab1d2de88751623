import concurrent.futures
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.trials.study_root import open_root
from tests.stores.processes import free_ports
from tests.stores.proxy import Proxy, proxy_before
from tests.stores.s3 import S3
from tests.trials.study_root_contract import StudyRootContract


class TestBucket(StudyRootContract):
    @pytest.fixture
    def location(self, s3: str) -> str:
        return s3


@pytest.fixture
def proxy(s3: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with proxy_before(s3_server.endpoint) as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
        yield between


def refusal(location: str) -> StateError:
    with pytest.raises(StateError) as caught:
        open_root(location)
    assert caught.value.remedy
    return caught.value


def test_a_list_of_more_than_a_page_is_whole(s3: str) -> None:
    root = open_root(s3)
    keys = [f"channel/{number:04d}" for number in range(1_050)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda key: root.put_if_absent(key, b"x"), keys))
    assert root.list("channel/") == keys


def test_a_neighbours_keys_are_not_listed(s3: str) -> None:
    root, neighbour = open_root(f"{s3}/study"), open_root(f"{s3}/study-2")
    neighbour.put_if_absent("a", b"")
    assert root.list("") == [] and root.get("a") is None


def test_a_put_whose_answer_was_lost_is_still_ones_own(s3: str, proxy: Proxy) -> None:
    root = open_root(s3)
    proxy.lose = 1
    assert root.put_if_absent("claim", b"mine")
    proxy.lose = 1
    assert not root.put_if_absent("claim", b"theirs")
    assert root.get("claim") == b"mine" and proxy.lose == 0


def test_a_store_that_ignores_the_condition_is_refused(s3: str, proxy: Proxy) -> None:
    proxy.ignores_conditions = True
    error = refusal(s3)
    assert "If-None-Match" in error.problem and error.key == s3


def test_a_missing_bucket_is_named(s3: str) -> None:
    error = refusal("s3://no-such-bucket/study")
    assert "no-such-bucket" in error.problem and "create the bucket" in error.remedy


def test_a_wrong_secret_is_named(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
    error = refusal(s3)
    assert "AWS_SECRET_ACCESS_KEY" in error.remedy and s3 in error.key
    assert "a-wrong-secret" not in str(error)


def test_a_key_without_the_right_is_named(s3: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = s3_server.powerless
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    assert "policy" in refusal(s3).remedy


def test_absent_credentials_are_named(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    assert refusal(s3).key == "AWS_ACCESS_KEY_ID"


def test_an_endpoint_that_does_not_answer_is_named_within_seconds(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = f"http://127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    started = time.monotonic()
    error = refusal(s3)
    assert time.monotonic() - started < 30
    assert (error.key, error.value) == ("AWS_ENDPOINT_URL", endpoint)


def test_the_drivers_folder_is_its_own_and_temporary(s3: str) -> None:
    folder = open_root(s3).driver_folder
    assert not folder.exists() or not list(folder.iterdir())
    assert open_root(s3).driver_folder != folder
