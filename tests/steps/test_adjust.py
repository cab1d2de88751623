"""Adjusting a champion that was really tuned and registered, on rows that came later."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import Dataset, Schema
from minorkey.data.membership import seen_in_training
from minorkey.registry import move_champion
from minorkey.steps import adjust, load
from minorkey.tracking import champion_version
from minorkey.tracking.verdicts import told_by_run
from tests.steps.conftest import Folders, frame
from tests.steps.registered import registered


@dataclass(frozen=True)
class Adjusted:
    """What a run of the step left."""

    decision: str
    verdict: dict[str, Any]
    study: dict[str, Any]
    report: str
    bundle: Path
    data: Dataset


def moved(rows: int, *, positive: float, seed: int = 5, noise: float = 0.0) -> pd.DataFrame:
    """Later rows of which another share is positive; with noise the label hangs less on the features."""
    rng = np.random.default_rng(seed)
    made = frame(rows, seed=seed)
    risk = 1.6 * made["first"] + 1.2 * made["second"] + 1.5 * (made["kind"] == "c")
    risk += rng.normal(0, 0.8, rows) + noise * rng.normal(size=rows)
    made["label"] = (risk >= np.quantile(risk, 1 - positive)).astype(int)
    return made


@pytest.fixture
def champion(sealed: Folders, tmp_path: Path) -> str:
    """Version of the tuned bundle as the champion of model ``m``, the same for all tests."""
    version = champion_version("m")
    if not version:
        made = registered(Bundle.load(sealed.bundle), "run-1", tmp_path / "reports", model="m")
        version = made.model_version
        move_champion("m", version, expected="")
    return version


def run(champion: str, rows: pd.DataFrame, folder: Path, *, target: str = "label") -> Adjusted:
    folder.mkdir(exist_ok=True)
    rows.to_csv(folder / "rows.csv", index=False)
    data = {"source": str(folder / "rows.csv"), "target": target, "positive": 1}
    given: dict[str, Any] = {"base_version": "", "feedback_uri": "", "until": ""}
    load.run(model="m", data=json.dumps(data), data_dir=folder / "data", **given)
    decision = adjust.run(
        model="m",
        evaluate='{"bootstraps": 300}',
        seed=0,
        run_key=f"adjust-{folder}",
        champion_version=champion,
        data_dir=folder / "data",
        bundle_dir=folder / "bundle",
        verdict_path=folder / "verdict.json",
        report_path=folder / "report.html",
        card_path=folder / "card.md",
        study_path=folder / "study.json",
    )
    return Adjusted(
        decision,
        json.loads((folder / "verdict.json").read_text()),
        json.loads((folder / "study.json").read_text()),
        (folder / "report.html").read_text(),
        folder / "bundle",
        Dataset.read(folder / "data" / "rows.parquet", Schema.read(folder / "data" / "schema.json")),
    )


def test_more_positives_shift_the_scores_of_the_same_ranking(champion: str, tmp_path: Path) -> None:
    done = run(champion, moved(9_000, positive=0.4), tmp_path)
    assert (done.decision, done.verdict["action"]) in {("promote", "shift"), ("promote", "platt")}
    assert done.verdict["adjustment"]["intercept"] > 0.5
    before, after = (done.verdict["metrics"][name]["log_loss"]["value"] for name in ("champion", "test"))
    assert after < before - 0.01

    served, adjusted = Bundle.load(_served(champion)), Bundle.load(done.bundle)
    features = done.data.features.head(200)
    (raw, old), (same, new) = served.score(features), adjusted.score(features)
    assert np.array_equal(raw, same)
    assert new == pytest.approx(adjusted.info.calibration.apply(raw), abs=1e-6)
    assert new.mean() > old.mean() + 0.1
    assert adjusted.info.threshold == done.verdict["threshold"]
    assert adjusted.info.lineage["adjusted"][0]["from_version"] == champion

    reference = adjusted.info.reference
    assert reference["rows"] == done.verdict["evidence"]["rows"] + done.verdict["test"]["rows"]
    assert reference["rates"]["true_positive"] == pytest.approx(
        done.verdict["metrics"]["test"]["recall"]["value"]
    )
    assert reference["rates"]["prevalence"] == pytest.approx(0.4, abs=0.05)
    # What swung in the champion's reference is not forgotten for a shorter one.
    known = served.info.reference["design"]
    assert reference["design"].keys() == known.keys()
    assert all(reference["design"][figure] >= max(1.0, effect) for figure, effect in known.items())


def test_the_verdict_is_in_mlflow_whether_or_not_anything_is_registered(
    champion: str, tmp_path: Path
) -> None:
    done = run(champion, moved(2_000, positive=0.2), tmp_path)
    assert told_by_run(f"adjust-{tmp_path}") == {
        "decision": done.decision,
        "action": done.verdict["action"],
        "reason": done.verdict["reason"],
    }


def test_rows_that_the_fix_was_fitted_on_are_fresh_no_more(champion: str, tmp_path: Path) -> None:
    done = run(champion, moved(9_000, positive=0.4), tmp_path)
    before = seen_in_training(Bundle.load(_served(champion)).info.membership, done.data)
    after = seen_in_training(Bundle.load(done.bundle).info.membership, done.data)
    fitted = after & ~before
    assert after[before].all()
    assert fitted.sum() == done.verdict["evidence"]["rows"]
    assert (~after).sum() == done.verdict["test"]["rows"]


def test_a_ranking_that_fell_is_left_to_a_refit(champion: str, tmp_path: Path) -> None:
    done = run(champion, moved(9_000, positive=0.125, noise=4.0), tmp_path)
    assert (done.decision, done.verdict["action"]) == ("keep", "refit")
    assert not done.bundle.exists()
    assert "tuning pipeline on fresh rows" in done.report


def test_rows_like_those_before_need_no_fix(champion: str, tmp_path: Path) -> None:
    done = run(champion, frame(4_000, seed=8), tmp_path)
    assert done.decision == "keep"
    assert not done.bundle.exists() or not done.verdict["proof"]["proven"]


def test_few_positives_wait_for_labels(champion: str, tmp_path: Path) -> None:
    done = run(champion, frame(400, seed=9), tmp_path)
    assert (done.decision, done.verdict["action"]) == ("keep", "wait")


def test_without_a_champion_there_is_nothing_to_adjust(
    sealed: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("", frame(400, seed=9), tmp_path)
    assert "no champion to adjust" in capsys.readouterr().err


def test_rows_of_training_are_not_fresh(
    champion: str, sealed: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under a hash the sealed test stays fresh; without the columns behind the hash nothing does."""
    rows = frame(1_600).assign(more=1.0)
    rows["more"] += np.arange(len(rows)) % 7
    with pytest.raises(SystemExit):
        run(champion, rows.drop(columns="noise"), tmp_path)
    assert "noise" in capsys.readouterr().err


def _served(version: str) -> Path:
    from minorkey.registry import bundle_of_version, fetch_bundle

    return fetch_bundle(bundle_of_version("m", version))
