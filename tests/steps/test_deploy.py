import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.errors import ContractError
from minorkey.serving import local
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


def _deploy(result: RegisterResult, champion: str, path: Path, target: str = "local") -> dict[str, Any]:
    deploy.run(
        model="cards",
        deploy=json.dumps({"target": target}),
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


def test_a_predictor_that_answers_otherwise_gives_way_to_the_former(
    bundles: list[Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = champion_version("cards")
    first = registered(bundles[1], "former", tmp_path / "reports")
    deployment = _deploy(first, before, tmp_path)
    second = registered(bundles[2], "otherwise", tmp_path / "reports")

    def differs(*_: Any) -> dict[str, Any]:
        raise ContractError("the predictor differs from the bundle's own scores by 0.1")

    monkeypatch.setattr(deploy, "verify_server", differs)
    with pytest.raises(ContractError):
        _deploy(second, first.model_version, tmp_path)
    assert champion_version("cards") == first.model_version
    served = local.current_target("cards")
    assert served is not None
    assert served.version == first.model_version
    deadline = time.monotonic() + 30
    while _served(deployment["url"]) != first.model_version and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _served(deployment["url"]) == first.model_version
