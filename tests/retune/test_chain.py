"""The cheapest fix first: which stages are run, and that a retune of a real model really mends it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey.cli import app
from minorkey.errors import SpecError, StateError
from minorkey.feedback.intake import Intake
from minorkey.feedback.messages import Label, Record
from minorkey.feedback.ripening import ripen
from minorkey.feedback.service import feedback_url
from minorkey.feedback.spec import load_feedback_spec
from minorkey.registry import load_version
from minorkey.retune.chain import Wanted, retune
from minorkey.retune.launcher import Launch
from minorkey.retune.local_runs import LocalRuns, run_command
from minorkey.retune.spec import load_retune_spec
from minorkey.spec import RunSpec
from minorkey.tracking import champion_version
from tests.steps.conftest import frame
from tests.steps.test_adjust import moved

FEEDBACK = "models: {m: {target: label, label_horizon: 1s, label_policy: full, event_time: seen}}\n"
RUN = """
model: m
data: {source: rows.csv, target: label, positive: 1, event_time: seen}
split: {kind: time, folds: 3, test_fraction: 0.3}
search:
  {trials: 2, workers: 1, families: [logistic_regression], resamplers: [none], interactions: false,
   finalists: 1, ensemble: 1, pruner: none}
evaluate: {bootstraps: 200}
deploy: {target: none}
"""
NOW = 1_780_000_000.0


class Runs:
    """Stands for the pipelines: each stage ends with the verdict that the test says."""

    def __init__(self, **verdicts: tuple[str, str]) -> None:
        self.verdicts, self.asked = verdicts, []

    def __call__(self, spec: RunSpec, out: Path, *, pipeline: str, parameters: dict[str, str]) -> None:
        self.asked.append((out.name, pipeline, spec, parameters))
        decision, action = self.verdicts[out.name]
        out.mkdir(parents=True)
        verdict = {"decision": decision, "action": action, "reason": f"because of {out.name}"}
        (out / "verdict.json").write_text(json.dumps(verdict))
        (out / "state.json").write_text('{"status": "finished"}')


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "feedback.yaml").write_text(FEEDBACK)
    (tmp_path / "retune.yaml").write_text("models: {m: {spec: run.yaml}}\nfeedback_spec: feedback.yaml\n")
    return tmp_path


def collect(rows: pd.DataFrame, begin: float = NOW) -> None:
    """Bring rows and their labels into the feedback database, where they are mature."""
    spec = load_feedback_spec(Path("feedback.yaml"))
    clock = [begin]
    intake = Intake(feedback_url(), spec, lambda: clock[0])
    features = rows.drop(columns=["label", "seen"], errors="ignore").to_dict("records")
    records = [
        Record(f"r{begin:.0f}-{number}", begin + number, 0.1, json.dumps(row))
        for number, row in enumerate(features)
    ]
    intake.predictions("m", "1", 0.5, records)
    intake.labels("m", [Label(one.id, int(y)) for one, y in zip(records, rows["label"], strict=True)])
    clock[0] += len(rows) + 10
    while ripen(intake):
        pass


def trained(home: Path, rows: int = 1_500) -> None:
    made = frame(rows)
    made["seen"] = pd.to_datetime(NOW - 2 * 86_400 + 60 * np.arange(rows), unit="s", utc=True)
    made.to_csv(home / "rows.csv", index=False)
    app(["run", "run.yaml", "--quiet", "--out", "first"], result_action="return_value")
    assert champion_version("m") == "1"


@pytest.mark.parametrize(
    ("verdicts", "stages", "outcome"),
    [
        ({"adjust": ("promote", "shift")}, ["adjust"], "adjusted"),
        ({"adjust": ("keep", "none")}, ["adjust"], "kept"),
        ({"adjust": ("keep", "wait")}, ["adjust"], "kept"),
        ({"adjust": ("keep", "refit"), "refit": ("promote", "")}, ["adjust", "refit"], "promoted"),
        (
            {"adjust": ("keep", "refit"), "refit": ("keep", ""), "search": ("promote", "")},
            ["adjust", "refit", "search"],
            "promoted",
        ),
        (
            {"adjust": ("keep", "refit"), "refit": ("keep", ""), "search": ("keep", "")},
            ["adjust", "refit", "search"],
            "kept",
        ),
    ],
)
def test_the_next_fix_is_tried_only_if_the_one_before_did_not_mend(
    home: Path, monkeypatch: pytest.MonkeyPatch, verdicts: dict[str, Any], stages: list[str], outcome: str
) -> None:
    monkeypatch.setattr("minorkey.registry.data_section", lambda model: {"target": "label"})
    collect(frame(60))
    runs = Runs(**verdicts)
    wanted = Wanted(RunSpec(model="m"), Path("feedback.yaml"), "7", "it hurts", "performance_down")
    account = retune(wanted, home / "out", run=runs, champion=lambda model: "8")
    assert [name for name, *_ in runs.asked] == stages == [stage.name for stage in account.stages]
    assert (account.outcome, account.fresh_rows, account.version) == (outcome, 60, "8")
    assert json.loads((home / "out" / "retune.json").read_text())["outcome"] == outcome
    fresh = str(home / "out" / "fresh.parquet")
    for name, pipeline, spec, parameters in runs.asked:
        assert parameters["reason"] == "performance_down: it hurts"
        if name == "adjust":
            assert (pipeline, spec.data.source) == ("adjust", fresh)
        else:
            assert pipeline == "tune" and spec.search.refit is (name == "refit")
            assert (parameters["base_version"], parameters["feedback_uri"]) == ("7", fresh)
    (home / "out" / "retune.json").unlink()  # as if it had been killed before its account
    again = retune(replace(wanted, base_version="8"), home / "out", run=runs, champion=lambda model: "8")
    assert len(runs.asked) == len(stages) and again.outcome == outcome, "finished stages are not run again"
    assert again.base_version == "7", "it starts from what served when it began"


def test_a_finished_retune_is_replaced_only_where_that_is_asked_for(home: Path) -> None:
    runs = Runs(search=("promote", ""))
    wanted = Wanted(RunSpec(model="m"), None, "7", "it hurts", "manual")
    retune(wanted, home / "out", run=runs, champion=lambda model: "8")
    later = replace(wanted, base_version="8", reason="it hurts again, a month later")
    with pytest.raises(StateError, match="a finished retune lies here") as caught:
        retune(later, home / "out", run=runs, champion=lambda model: "8")
    assert "--overwrite" in caught.value.remedy and len(runs.asked) == 1
    account = retune(later, home / "out", run=runs, champion=lambda model: "9", overwrite=True)
    assert len(runs.asked) == 2 and runs.asked[1][3]["base_version"] == "8"
    assert (account.base_version, account.version) == ("8", "9")


@pytest.mark.parametrize(("feedback", "base"), [(None, "7"), (Path("feedback.yaml"), "7"), (None, "")])
def test_without_labels_or_champion_there_is_nothing_but_a_search(
    home: Path, feedback: Path | None, base: str
) -> None:
    runs = Runs(search=("promote", ""))
    wanted = Wanted(RunSpec(model="m"), feedback, base, "", "manual")
    account = retune(wanted, home / "out", run=runs, champion=lambda model: "8")
    ((name, _, _, parameters),) = runs.asked
    assert (name, account.outcome, "feedback_uri" in parameters) == ("search", "promoted", False)
    assert parameters.get("base_version", "") == base


def test_a_feedback_specification_that_is_not_there_is_refused(home: Path) -> None:
    (home / "retune.yaml").write_text("models: {m: {spec: run.yaml}}\nfeedback_spec: nowhere.yaml\n")
    with pytest.raises(SpecError) as caught:
        load_retune_spec(Path("retune.yaml"))
    assert caught.value.key == "feedback_spec"


@pytest.mark.slow
def test_a_shift_is_adjusted_and_a_ranking_that_fell_is_fitted_anew(home: Path) -> None:
    """Both through the launcher of the trigger, on a model that was really tuned and registered."""
    trained(home)
    # The old concept is the opposite of the new one: what it taught has to be left out.
    (home / "retune.yaml").write_text(
        "models: {m: {spec: run.yaml, settings: [split.train_window=6h]}}\nfeedback_spec: feedback.yaml\n"
    )
    spec = load_retune_spec(Path("retune.yaml"))
    runs = LocalRuns(home / "retunes", run_command(spec))

    def finished(key: str, base: str) -> Any:
        run = runs.launch(Launch(key, "m", "calibration_off", "too many", base))
        child = runs._children[-1]
        child.wait(timeout=240)
        return runs.look(run)

    collect(moved(1_500, positive=0.35))
    seen = finished("first", "1")
    assert (seen.state, seen.outcome) == ("succeeded", "adjusted"), seen.detail
    assert champion_version("m") == "2"
    assert load_version("m", "2").info.configuration == load_version("m", "1").info.configuration

    turned = frame(3_000, seed=9)
    turned["first"], turned["second"] = -turned["first"], -turned["second"]
    collect(turned, NOW + 86_400)
    seen = finished("second", "2")
    assert (seen.state, seen.outcome) == ("succeeded", "promoted"), seen.detail
    account = json.loads((home / "retunes/second/run/retune.json").read_text())
    assert [stage["name"] for stage in account["stages"]] == ["adjust", "refit"]
    assert (account["base_version"], account["version"], champion_version("m")) == ("2", "3", "3")
    study = json.loads((home / "retunes/second/run/refit/study.json").read_text())
    assert study["counts"]["complete"] == 1
    verdict = json.loads((home / "retunes/second/run/refit/verdict.json").read_text())
    assert verdict["metrics"]["test"]["roc_auc"]["value"] > 0.9
    info = load_version("m", "3").info
    assert info.configuration[0].keys() >= {"train_window", "recency_half_life"}
    membership = info.membership
    assert membership["test_start"] >= load_version("m", "1").info.membership["train_end"]
