"""Back to an earlier champion that a cluster serves: by the deploy step, the registry and the command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.cli import main
from minorkey.deployment.kserve import target
from minorkey.errors import StateError
from minorkey.retune.undo import undo
from minorkey.rollback import roll_back
from minorkey.steps import deploy
from minorkey.tracking import champion_version, client
from tests.deployment.kserve.fake import FakeKServe
from tests.deployment.kserve.place import QUICK, Customers, Model, cluster_spec
from tests.steps.registered import registered


@pytest.fixture
def model(tmp_path: Path, versions: dict[str, Bundle], monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """Two versions in the registry, deployed one after the other by the step."""
    for name in ("MLFLOW_TRACKING_URI", "MINORKEY_ERROR", "MINORKEY_KUBERNETES_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", str(tmp_path / "volume"))
    monkeypatch.setattr(target, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(target, "TRIED", 30)
    with FakeKServe(tmp_path / "volume") as fake:
        default = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
        monkeypatch.setattr(default, str(fake.cluster.kubeconfig))
        model = Model(fake, cluster_spec(tmp_path / "volume"), bundles=dict(versions))
        for number in ("1", "2"):
            made = registered(versions[number], f"key-{number}", tmp_path, champion=champion_version("cards"))
            assert made.model_version == number
            run(model, number, made.bundle_uri, tmp_path)
        yield model


def run(model: Model, version: str, uri: str, folder: Path) -> dict:
    """The deploy step, as a pipeline starts it."""
    section = {"target": "kserve", "canary": QUICK.model_dump()}
    deploy.run(
        model="cards",
        deploy=json.dumps(section),
        model_version=version,
        bundle_uri=uri,
        champion_version=champion_version("cards"),
        deployment_path=folder / "deployment.json",
        cluster=model.spec.canonical(),
    )
    return json.loads((folder / "deployment.json").read_text())


def test_step_trigger_and_command_change_what_the_cluster_serves(
    model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads((tmp_path / "deployment.json").read_text())
    assert (told["target"], told["version"], told["rollout"]["mode"]) == ("kserve", "2", "canary")
    assert told["rollout"]["compared"]["requests"] and champion_version("cards") == model.served() == "2"

    with pytest.raises(StateError, match="a cluster serves the model") as caught:
        roll_back("cards", reason="r")
    assert "--cluster" in caught.value.remedy and champion_version("cards") == "2"

    path = tmp_path / "cluster.yaml"
    path.write_text(model.spec.canonical())
    with Customers(model).asking() as customers:
        undone = undo("cards", frozenset({"2"}), 3_600.0, "alert", cluster=str(path))
        assert undone == ("rolled_back", "version 1 serves again, version 2 was left")
        assert champion_version("cards") == model.served() == "1"
        assert client().get_model_version("cards", "2").tags["minorkey.rolled_back"].endswith("alert")

        with pytest.raises(SystemExit) as ended:
            main(["rollback", "cards", "--to", "2", "--reason", "alarms", "--cluster", str(path)])
    assert not ended.value.code and customers.failures == []
    assert "http://cards-serving.example.test" in capsys.readouterr().out
    assert champion_version("cards") == model.served() == "2"
