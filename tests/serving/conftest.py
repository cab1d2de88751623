import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from minorkey.bundle.bundle import Bundle
from minorkey.serving.app import create_app
from minorkey.serving.predictor import Predictor
from minorkey.serving.server import bind, url_of
from minorkey.serving.slot import Slot
from tests.serving.bundles import small_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(tmp_path_factory.mktemp("bundle") / "first")


@pytest.fixture(scope="session")
def other_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(tmp_path_factory.mktemp("bundle") / "second", seed=1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path / "home"


@pytest.fixture
def slot(bundle: Bundle) -> Slot:
    return Slot(Predictor(bundle, "cards", "1"))


@pytest.fixture
def http(slot: Slot) -> Iterator[httpx.Client]:
    """A client of a predictor that really listens."""
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(create_app(slot), lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    with httpx.Client(base_url=url_of(listener), trust_env=False, timeout=10) as client:
        yield client
    server.should_exit = True
    thread.join(10)
