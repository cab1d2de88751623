"""From a cluster's specification to the step, the commands and the doctor: only Git is asked."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from minorkey.bundle.bundle import Bundle
from minorkey.cli import main
from minorkey.cluster.checks.git import check_git
from minorkey.cluster.doctor import cluster_findings
from minorkey.cluster.spec import ClusterSpec, load_cluster_spec
from minorkey.errors import SpecError, StateError
from minorkey.registry import move_champion, store_bundle
from minorkey.registry.graph_log import lineage_tags
from minorkey.retune.undo import undo
from minorkey.rollback import roll_back
from minorkey.steps import deploy
from minorkey.tracking import champion_version, client
from tests.deployment.gitops.server import Bare, manifest, over_http
from tests.serving.bundles import small_bundle


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare(tmp_path / "models.git", {"models/cards/inferenceservice.yaml": manifest("cards")})


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    for name in list(os.environ):
        if name.startswith(("MINORKEY_", "MLFLOW_")) and name != "MINORKEY_HOME":
            monkeypatch.delenv(name)


def content(address: str, home: Path, **gitops: Any) -> dict[str, Any]:
    return {
        "namespace": "minorkey",
        "image": "pipeline@sha256:0",
        "stores": {
            "study_root": "s3://m/studies",
            "bundle_root": str(home / "home" / "bundles"),
            "bundle_volume": "bundles",
            "bundle_mount": str(home),
            "tracking_uri": "https://mlflow.example",
        },
        "serving": {"gitops": {"repository": address, "patience_seconds": 5, **gitops}},
    }


def spec(address: str, home: Path, **gitops: Any) -> ClusterSpec:
    return load_cluster_spec(json.dumps(content(address, home, **gitops)))


def version_of(bundle: Bundle, expected: str = "") -> tuple[str, str]:
    uri = store_bundle(bundle.folder, bundle.digest)
    tags = lineage_tags(bundle, f"run-{bundle.digest}", uri) | {"minorkey.compared_with": expected}
    return str(client().create_model_version("cards", source=uri, tags=tags).version), uri


def test_step_and_rollback_commit_and_the_alias_stays(
    bare: Bare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (small_bundle(tmp_path / str(seed), seed=seed) for seed in range(2))
    client().create_registered_model("cards")
    cluster = spec(bare.address, tmp_path)
    file = tmp_path / "cluster.yaml"
    file.write_text(yaml.safe_dump(content(bare.address, tmp_path)))
    champion = ""
    for bundle in (first, second):
        version, uri = version_of(bundle, champion)
        deploy.run(
            model="cards",
            deploy=json.dumps({"target": "gitops"}),
            model_version=version,
            bundle_uri=uri,
            champion_version=champion,
            deployment_path=tmp_path / "deployment.json",
            cluster=cluster.canonical(),
        )
        told = json.loads((tmp_path / "deployment.json").read_text())
        assert (told["target"], told["pending"], told["commit"]) == ("gitops", True, bare.tip())
        assert (told["url"], told["pid"], told["branch"]) == ("", None, "main")
        assert champion_version("cards") == champion
        assert f"pvc://bundles/home/bundles/{bundle.digest}" in bare.read(told["path"])
        move_champion("cards", version, expected=champion)
        champion = version

    with pytest.raises(StateError, match="a cluster serves the model"):
        roll_back("cards", reason="r")
    with pytest.raises(SystemExit) as ended:
        main(["rollback", "cards", "--reason", "alarms", "--cluster", str(file)])
    assert not ended.value.code
    assert "takes version 2 back; version 1 is champion once Argo CD" in capsys.readouterr().out
    assert bare.messages()[0].startswith('Revert "cards: serve version 2"')
    assert undo("cards", frozenset({"2"}), 1e9, "alarms", cluster=str(file))[0] == "rolled_back"
    assert bare.count() == 4
    assert champion_version("cards") == "2"

    with pytest.raises(SystemExit) as ended:
        main(
            ["confirm", "cards", "--digest", first.digest, "--url", "http://127.0.0.1:9", "--seconds", "0.1"]
        )
    assert ended.value.code == 2
    assert "do not serve the bundle that Git holds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gitops", "told"),
    [
        ({"repository": "https://me:s3cr3t@git.example/x"}, "carries credentials"),
        ({"repository": "models"}, "no address"),
        ({"branch": "-x"}, "another form"),
        ({"folder": "models"}, "another form"),
        ({"folder": "../{model}"}, "another form"),
        ({"mode": "force"}, "does not exist"),
        ({"author": "a <b>"}, "one line"),
    ],
)
def test_bad_values_are_refused_before_any_work(tmp_path: Path, gitops: dict[str, Any], told: str) -> None:
    asked = content("https://git.example/x.git", tmp_path)
    asked["serving"]["gitops"] |= gitops
    with pytest.raises(SpecError, match=told) as raised:
        load_cluster_spec(json.dumps(asked))
    assert "s3cr3t" not in str(raised.value)


@pytest.fixture
def served(bare: Bare) -> Iterator[str]:
    bare.git("config", "http.receivepack", "true")
    with over_http(bare, "t0ken") as address:
        yield address


def found(address: str, home: Path, **gitops: Any) -> list[tuple[str, str, str]]:
    findings = check_git(spec(address, home, **gitops))
    return [(one.check, one.status, f"{one.text} | {one.remedy}") for one in findings]


def test_the_doctor_looks_at_git_where_the_cluster_is_not_reached(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("nothing: here\n")
    findings = cluster_findings(spec(bare.address, tmp_path), kubeconfig=tmp_path / "kubeconfig")
    assert ("model file", "ok", "1 found: cards") in [(one.check, one.status, one.text) for one in findings]


def test_the_doctor_looks_at_repository_rights_and_files(
    bare: Bare, served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [status for _, status, _ in found(served, tmp_path)] == ["unseen"]
    secret = tmp_path / "secret"
    secret.mkdir()
    monkeypatch.setenv("MINORKEY_GIT_CREDENTIALS", str(secret))
    (secret / "password").write_text("wr0ng")
    ((_, status, text),) = found(served, tmp_path)
    assert status == "problem"
    assert "does not let these credentials in" in text
    (secret / "password").write_text("t0ken")
    assert found(served, tmp_path) == [
        ("git", "ok", f"branch main of {served} can be read and pushed to | "),
        ("model file", "ok", "1 found: cards | "),
    ]
    bare.write({"models/lost/inferenceservice.yaml": manifest("lost", "d1", "s3://m/d2", "1")}, "Wrong")
    assert ("model file", "problem") in [one[:2] for one in found(served, tmp_path)]
    assert any("do not belong together" in text for _, _, text in found(served, tmp_path))
    ((_, status, text),) = found(served, tmp_path, branch="production")
    assert "no branch production" in text
    bare.git("config", "http.receivepack", "false")
    ((_, status, text),) = found(served, tmp_path)
    assert status == "problem"
    with over_http(bare, moved_to=served) as old:
        ((_, status, text),) = found(old, tmp_path)
    assert f"has moved to {served}" in text
    assert bare.count() == 2, "a doctor pushes nothing"
