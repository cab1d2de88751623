import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.errors import ContractError
from minorkey.serving import local, promotion
from minorkey.serving.server import bind
from minorkey.steps import deploy
from minorkey.steps.register import RegisterResult
from minorkey.tracking import champion_version
from tests.serving.bundles import ROW, small_bundle
from tests.steps.registered import registered


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MINORKEY_HOME", str(home))
    for name in ("MLFLOW_TRACKING_URI", "MINORKEY_BUNDLE_ROOT", "MINORKEY_ERROR"):
        monkeypatch.delenv(name, raising=False)
    yield
    local.stop("cards")


@pytest.fixture
def bundles(tmp_path: Path) -> list[Bundle]:
    return [small_bundle(tmp_path / f"bundle-{seed}", seed=seed) for seed in range(3)]


def _deploy(result: RegisterResult, champion: str, path: Path, **section: Any) -> dict[str, Any]:
    deploy.run(
        model="cards",
        deploy=json.dumps(section),
        model_version=result.model_version,
        bundle_uri=result.bundle_uri,
        champion_version=champion,
        deployment_path=path / "deployment.json",
    )
    return json.loads((path / "deployment.json").read_text())


def _served(url: str) -> str:
    return httpx.post(f"{url}/predict", json=ROW, trust_env=False).json()["version"]


def test_deploy_serves_verifies_and_promotes(
    bundles: list[Bundle], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (
        registered(bundle, f"key-{number}", tmp_path / "reports") for number, bundle in enumerate(bundles)
    )
    deployment = _deploy(first, "", tmp_path)
    assert champion_version("cards") == first.model_version
    assert deployment["digest"] == bundles[0].digest
    assert deployment["verified"]["largest_difference"] <= 1e-6
    assert _served(deployment["url"]) == first.model_version

    swapped = _deploy(second, first.model_version, tmp_path)
    assert (swapped["pid"], swapped["url"]) == (deployment["pid"], deployment["url"])
    assert _served(swapped["url"]) == second.model_version
    assert _deploy(second, first.model_version, tmp_path)["version"] == second.model_version

    with pytest.raises(SystemExit):
        _deploy(third, first.model_version, tmp_path)
    assert "champion changed" in capsys.readouterr().err
    assert champion_version("cards") == second.model_version
    assert _served(swapped["url"]) == second.model_version

    local.stop("cards")
    assert _deploy(third, second.model_version, tmp_path, target="none")["url"] == ""
    assert champion_version("cards") == third.model_version
    assert local.status("cards") is None


def test_an_altered_bundle_is_neither_served_nor_promoted(
    bundles: list[Bundle], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = champion_version("cards")
    result = registered(bundles[0], "altered", tmp_path / "reports")
    (Path(result.bundle_uri) / "model.onnx").write_bytes(b"altered")
    with pytest.raises(SystemExit):
        _deploy(result, before, tmp_path)
    assert "altered" in capsys.readouterr().err
    assert champion_version("cards") == before
    assert not (tmp_path / "deployment.json").exists()


def _otherwise(*_: Any) -> dict[str, Any]:
    raise ContractError("the predictor differs from the bundle's own scores by 0.1")


def _interrupted(*_: Any) -> dict[str, Any]:
    raise KeyboardInterrupt


@pytest.mark.parametrize("failing", [_otherwise, _interrupted])
def test_a_deployment_that_fails_gives_way_to_the_former(
    failing: Callable[..., Any], bundles: list[Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = champion_version("cards")
    first = registered(bundles[1], f"former-{failing.__name__}", tmp_path / "reports")
    deployment = _deploy(first, before, tmp_path)
    second = registered(bundles[2], f"new-{failing.__name__}", tmp_path / "reports")
    monkeypatch.setattr(promotion, "verify_server", failing)
    with pytest.raises((ContractError, KeyboardInterrupt)), bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
        free.close()
        _deploy(second, first.model_version, tmp_path, port=port)
    assert champion_version("cards") == first.model_version
    assert _served(deployment["url"]) == first.model_version
    with pytest.raises(httpx.ConnectError):
        _served(f"http://127.0.0.1:{port}")


def test_a_port_that_is_taken_leaves_the_former_where_it_was(bundles: list[Bundle], tmp_path: Path) -> None:
    before = champion_version("cards")
    first = registered(bundles[1], "placed", tmp_path / "reports")
    deployment = _deploy(first, before, tmp_path)
    second = registered(bundles[2], "misplaced", tmp_path / "reports")
    with bind("127.0.0.1", 0) as taken, pytest.raises(SystemExit):
        _deploy(second, first.model_version, tmp_path, port=taken.getsockname()[1])
    assert champion_version("cards") == first.model_version
    assert _served(deployment["url"]) == first.model_version
