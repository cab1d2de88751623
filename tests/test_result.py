"""The summary of a run: who answers now, whoever deployed it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.cli import main
from minorkey.result import print_summary
from minorkey.serving import local
from tests.serving.bundles import small_bundle


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    small_bundle(tmp_path / "out/bundle", seed=1)
    yield tmp_path / "out"
    local.stop("cards")


def ended(out: Path, decision: str, *, champion: str, deployment: dict[str, str] | None = None) -> None:
    """What a run left: its result and its verdict."""
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    result = {
        "model": "cards",
        "metrics": {"test": {"average_precision": interval, "matthews_corrcoef": interval}},
        "threshold": 0.4,
        "gate": {"decision": decision, "reason": "because"},
        "deployment": deployment,
    }
    (out / "result.json").write_text(json.dumps(result))
    (out / "verdict.json").write_text(json.dumps({"champion_version": champion}))


def printed(out: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    print_summary(out)
    return {line[:22].strip(): line[22:] for line in capsys.readouterr().out.splitlines()}


def stopped(model: str) -> int:
    """Exit code of the command that ends a predictor."""
    with pytest.raises(SystemExit) as end:
        main(["serve", "--stop", model])
    return int(end.value.code or 0)


@pytest.fixture
def champion(tmp_path: Path) -> Bundle:
    return small_bundle(tmp_path / "champion")


def test_a_run_that_keeps_the_champion_shows_the_champion_answering(
    out: Path, champion: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = local.start("cards", champion.folder, "7")
    ended(out, "keep", champion="7")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    lines = printed(out, capsys)
    assert lines["served at"] == f"{server.url}  (version 7, not of this run)"
    assert lines["one prediction"].startswith("score 0.") and "(version 7)" in lines["one prediction"]
    assert lines["to end it"].endswith("minorkey serve --stop cards")

    assert stopped("cards") == 0
    assert server.url in capsys.readouterr().out
    assert local.status("cards") is None
    assert stopped("cards") == 0
    assert "no predictor of cards" in capsys.readouterr().out
    lines = printed(out, capsys)
    assert lines["served"] == "no" and lines["to serve it"].endswith("minorkey serve --model cards@champion")


def test_a_run_that_deployed_shows_its_own_version(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = local.start("cards", out / "bundle", "8")
    ended(out, "promote", champion="7", deployment={"url": server.url, "version": "8"})
    lines = printed(out, capsys)
    assert lines["served at"] == f"{server.url}  (version 8)"
    assert "(version 8)" in lines["one prediction"]


def test_without_a_champion_the_bundle_can_be_served(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(out, "keep", champion="")
    assert printed(out, capsys)["to serve it"].endswith(f"serve --bundle {out / 'bundle'}")


def test_what_was_not_measured_is_said_to_be_undefined(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(out, "keep", champion="")
    result = json.loads((out / "result.json").read_text())
    result |= {"threshold": None, "metrics": {"test": {"average_precision": None}}}
    (out / "result.json").write_text(json.dumps(result))
    lines = printed(out, capsys)
    assert lines["threshold"] == lines["average precision"] == lines["Matthews correlation"] == "not defined"


def test_what_serves_but_cannot_be_read_ends_no_run(
    out: Path, champion: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    local.start("cards", champion.folder, "7")
    ended(out, "keep", champion="7")
    (champion.folder / "model.onnx").write_bytes(b"altered")
    assert printed(out, capsys)["one prediction"].startswith("none: ")


@pytest.mark.parametrize("name", ["unknown", "../cards", ""])
def test_a_model_that_was_never_deployed_cannot_be_ended(
    out: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stopped(name) == 2
    assert "--stop" in capsys.readouterr().err


def test_runs_and_trials_are_where_they_were_written(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(out, "keep", champion="7")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    told = printed(out, capsys)["runs and trials"]
    assert "mlflow ui --backend-store-uri sqlite:///" in told and str(out.parent / "home") in told
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.test")
    assert printed(out, capsys)["runs and trials"] == "https://mlflow.test"
