import json
from pathlib import Path

import numpy as np
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.data.training_set import TestSet, TrainingSet
from minorkey.evaluation.baselines import BASELINES
from minorkey.evaluation.metrics import METRICS
from minorkey.search.tuning import time_shares, trial_shares
from minorkey.steps import tune
from minorkey.tracking import client, open_run
from tests.steps.registered import registered

from .conftest import SEARCH, Folders


def test_exactly_the_asked_trials_are_run_and_told(sealed: Folders) -> None:
    study = json.loads(sealed.study.read_text())
    assert [trial["number"] for trial in study["trials"]] == [0, 1, 2, 3]
    assert study["counts"] == {"complete": 4, "pruned": 0, "failed": 0}
    assert set(study["metrics"]["validation"]) == set(METRICS)
    assert study["versions"]["numpy"] == np.__version__


def test_the_fold_bag_ships_where_positives_are_few(sealed: Folders) -> None:
    study = json.loads(sealed.study.read_text())
    assert study["configuration"]["ships"] == "fold bag"
    assert abs(sum(member["weight"] for member in study["configuration"]["members"]) - 1) < 1e-9


def test_the_bundle_ranks_rows_it_has_not_seen(sealed: Folders) -> None:
    test = TestSet.read(sealed.test).dataset
    bundle = Bundle.load(sealed.bundle)
    raw, score = bundle.score(test.features)
    assert raw[test.y == 1].mean() > 3 * raw[test.y == 0].mean()
    assert 0 < bundle.info.threshold < 1
    assert bundle.info.membership["kind"] == "hash"
    assert bundle.info.lineage["label_horizon"] == "0d"
    assert ((score >= bundle.info.threshold) & (test.y == 1)).sum() > 0.5 * test.positives


def test_baselines_are_bundles_cut_at_one_half(sealed: Folders) -> None:
    test = TestSet.read(sealed.test).dataset
    names = {folder.name for folder in sealed.baselines.iterdir()}
    assert names == {"prior", *BASELINES}
    for name in names:
        assert Bundle.load(sealed.baselines / name).info.threshold == 0.5
    prior, _ = Bundle.load(sealed.baselines / "prior").score(test.features)
    share = TrainingSet.read(sealed.train).dataset.y.mean()
    np.testing.assert_allclose(prior, share, rtol=1e-6)


def test_trials_are_nested_runs_in_mlflow(sealed: Folders) -> None:
    tracker = open_run("m", "run-1")
    assert len(tracker._trials_there()) == 4


def test_the_reason_is_a_tag_of_the_run(sealed: Folders) -> None:
    tags = client().get_run(open_run("m", "run-1").run_id).data.tags
    assert tags["minorkey.reason"] == "the quarter has ended"


def test_the_data_set_in_mlflow_says_where_it_came_from(sealed: Folders) -> None:
    (found,) = client().get_run(open_run("m", "run-1").run_id).inputs.dataset_inputs
    assert json.loads(found.dataset.source)["uri"] == TrainingSet.read(sealed.train).source != ""


def test_outer_parts_have_bundles_of_their_own(crossed: Folders) -> None:
    folders = sorted(folder.name for folder in crossed.baselines.iterdir() if folder.name.startswith("outer"))
    assert folders == ["outer-0-0", "outer-0-1", "outer-1-0", "outer-1-1"]
    whole = Bundle.load(crossed.bundle).info.lineage["training_digest"]
    assert Bundle.load(crossed.baselines / "outer-0-0" / "candidate").info.lineage["training_digest"] == whole
    assert Bundle.load(crossed.baselines / "outer-0-0" / "candidate").info.membership["part"] == "outer-0-0"


def test_shares_add_up_to_the_asked_trials() -> None:
    assert trial_shares(40, ["a", "b", "final"]) == {"a": 13, "b": 13, "final": 14}
    assert trial_shares(2, ["a", "b", "final"]) == {"a": 1, "b": 1, "final": 1}


def test_the_time_out_is_shared_like_the_trials() -> None:
    assert time_shares(90.0, {"a": 1, "b": 1, "final": 4}) == {"a": 15.0, "b": 15.0, "final": 60.0}
    assert time_shares(None, {"a": 1, "final": 1}) == {"a": None, "final": None}


def test_the_bundle_knows_its_reference(sealed: Folders) -> None:
    info = Bundle.load(sealed.bundle).info
    rates, null = info.reference["rates"], info.reference["null"]
    assert rates["true_positive"] == pytest.approx(info.validation["recall"])
    assert rates["false_positive"] == pytest.approx(1 - info.validation["specificity"])
    assert 0 < rates["prevalence"] < 1 and rates["true_positive_variance"] > 0
    assert {"mcc", "mcc_gap", "prevalence", "recall"} < info.reference["design"].keys()
    assert min(info.reference["design"].values()) >= 1
    assert len(null["largest"]["psi"]) == len(null["windows"])
    for entry in (*info.reference["features"].values(), info.reference["score"]):
        assert [len(pair) for pair in entry["null"]["psi"]] == [len(null["quantiles"])] * len(null["windows"])


def test_a_refit_fits_what_serves_anew_and_searches_nothing(
    sealed: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = registered(Bundle.load(sealed.bundle), "run-1", tmp_path / "reports", model="m")
    base = Bundle.load(sealed.bundle).info.configuration
    given = {
        "model": "m",
        "monitor": "{}",
        "seed": 1,
        "run_key": "refit-1",
        "train_dir": sealed.train,
        "bundle_dir": tmp_path / "bundle",
        "baselines_dir": tmp_path / "baselines",
        "study_path": tmp_path / "study.json",
    }
    search = json.dumps({**SEARCH, "trials": 40, "refit": True})
    with pytest.raises(SystemExit):
        tune.run(search=search, **given)
    assert "base_version" in capsys.readouterr().err
    tune.run(search=search, base_version=made.model_version, **given)
    study = json.loads((tmp_path / "study.json").read_text())
    assert study["counts"]["complete"] == len(study["trials"]) == len(base)
    fitted = Bundle.load(tmp_path / "bundle").info.configuration
    known = [{key: value for key, value in one.items() if key != "weight"} for one in base]
    assert all({key: value for key, value in one.items() if key != "weight"} in known for one in fitted)
