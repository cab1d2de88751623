import dataclasses
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.metrics import average_precision_score

from minorkey.bundle.bundle import Bundle, write_bundle
from minorkey.data.membership import seen_in_training
from minorkey.data.training_set import TestSet, TrainingSet
from minorkey.errors import ContractError
from minorkey.evaluation.metrics import METRICS, compute_metrics
from minorkey.evaluation.scoring import CANDIDATE, score_test
from minorkey.steps import evaluate, register

from .conftest import Folders

SECTION = json.dumps({"bootstraps": 200, "slices": ["kind", "first"]})


def judge(folders: Folders, out: Path, **changes: str) -> str:
    arguments = {"evaluate": SECTION, "run_key": "run-1", "champion_version": "", "test_dir": folders.test}
    return evaluate.run(
        model="m",
        seed=0,
        bundle_dir=folders.bundle,
        baselines_dir=folders.baselines,
        study_path=folders.study,
        verdict_path=out / "verdict.json",
        report_path=out / "report.html",
        card_path=out / "card.md",
        **{**arguments, **changes},
    )


def champion(folders: Folders, out: Path, bundle: Path) -> str:
    """Register a bundle as what there is to beat, and name its version."""
    judge(folders, out)
    registered = register.run(
        model="m",
        run_key="run-1",
        bundle_dir=bundle,
        verdict_path=out / "verdict.json",
        report_path=out / "report.html",
        card_path=out / "card.md",
        study_path=folders.study,
    )
    return registered.model_version


def test_the_first_model_is_promoted_for_beating_chance(sealed: Folders, tmp_path: Path) -> None:
    assert judge(sealed, tmp_path) == "promote"
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert set(verdict["metrics"]["test"]) == set(METRICS)
    for interval in verdict["metrics"]["test"].values():
        assert interval["low"] <= interval["value"] <= interval["high"]
    assert np.sum(verdict["confusion"]) == verdict["test"]["rows"]
    assert verdict["metrics"]["baselines"]["prior"]["roc_auc"]["value"] == 0.5
    assert {piece["column"] for piece in verdict["slices"]} == {"kind", "first"}
    assert "<svg" in (tmp_path / "report.html").read_text()
    assert verdict["reason"] in (tmp_path / "card.md").read_text()


def test_each_run_that_opens_the_test_spends_alpha_once(sealed: Folders, tmp_path: Path) -> None:
    alphas = {}
    for key in ("run-1", "run-2", "run-1"):
        judge(sealed, tmp_path, run_key=key)
        verdict = json.loads((tmp_path / "verdict.json").read_text())
        alphas.setdefault(key, set()).add((verdict["opening"], verdict["alpha"]))
    assert len(alphas["run-1"]) == 1
    assert max(alphas["run-2"])[1] < max(alphas["run-1"])[1]


def test_a_champion_is_kept_against_its_equal(sealed: Folders, tmp_path: Path) -> None:
    version = champion(sealed, tmp_path, sealed.bundle)
    decision = judge(sealed, tmp_path, run_key="run-3", champion_version=version)
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert decision == "keep"
    assert verdict["difference"]["value"] == 0
    assert verdict["metrics"]["champion"] == verdict["metrics"]["test"]


def test_a_champion_is_shown_on_rows_that_neither_model_has_seen(sealed: Folders, tmp_path: Path) -> None:
    own = Bundle.load(sealed.bundle)
    membership = {**own.info.membership, "salt": "another"}
    other = dataclasses.replace(own.info, model="other", membership=membership)
    write_bundle(tmp_path / "other", onnx.load(sealed.bundle / "model.onnx"), other)
    version = champion(sealed, tmp_path, tmp_path / "other")
    judge(sealed, tmp_path, run_key="run-4", champion_version=version)
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    data = TestSet.read(sealed.test).dataset
    unseen = ~seen_in_training(membership, data)
    assert 0 < unseen.sum() < 0.4 * len(data)
    assert (verdict["gate"]["rows"], verdict["gate"]["positives"]) == (unseen.sum(), data.y[unseen].sum())
    raw, score = own.score(data.take(unseen).features)
    shown = verdict["metrics"]["champion"]["roc_auc"]["value"]
    assert shown == pytest.approx(compute_metrics(data.y[unseen], raw, score, 0.5)["roc_auc"])
    assert f"On the {unseen.sum()} of {len(data)} test rows" in (tmp_path / "report.html").read_text()


def test_training_rows_in_the_test_are_refused(sealed: Folders, tmp_path: Path) -> None:
    training, test = TrainingSet.read(sealed.train), TestSet.read(sealed.test)
    mixed = TestSet(training.dataset, test.membership, test.kind, None)
    mixed.write(tmp_path / "test")
    shutil.copy(sealed.test / "profile.json", tmp_path / "test")
    with pytest.raises(ContractError, match="belong to the challenger's training set"):
        judge(sealed, tmp_path, test_dir=tmp_path / "test")


def test_a_slice_by_an_unknown_column_names_the_features(
    sealed: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        judge(sealed, tmp_path, evaluate=json.dumps({"slices": ["colour"]}))
    assert ended.value.code == 2
    assert "colour" in capsys.readouterr().err
    assert not (tmp_path / "verdict.json").exists()


def test_outer_folds_judge_each_row_by_models_that_never_saw_it(crossed: Folders, tmp_path: Path) -> None:
    test = TestSet.read(crossed.test)
    scored = score_test(crossed.bundle, crossed.baselines, test)[CANDIDATE]
    assert test.outer is not None
    assert test.outer.shape == scored.score.shape == (2, len(test.dataset))
    assert (test.outer[0] != test.outer[1]).any()
    for repeat, fold in itertools.product((0, 1), (0, 1)):
        inside = test.outer[repeat] == fold
        bundle = Bundle.load(crossed.baselines / f"outer-{repeat}-{fold}" / "candidate")
        expected = bundle.score(test.dataset.features[inside])[1]
        np.testing.assert_array_equal(scored.score[repeat, inside], expected)
    judge(crossed, tmp_path)
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert np.sum(verdict["confusion"]) == len(test.dataset)
    metrics = verdict["metrics"]["test"]
    repeats = [average_precision_score(test.dataset.y, raw) for raw in scored.raw]
    assert repeats[0] != repeats[1]
    assert metrics["average_precision"]["value"] == pytest.approx(np.mean(repeats))
    assert all(one["low"] < one["value"] < one["high"] for one in metrics.values())
    for name in ("report.html", "card.md"):
        assert "mean of 2 repeats" in (tmp_path / name).read_text()
    assert "outer cross-validation" in (tmp_path / "report.html").read_text()
