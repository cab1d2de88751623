"""What the predictor counts: every series from 0, each row once, right across swaps, old bundles too."""

import re
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from minorkey.bundle.bundle import Bundle, write_bundle
from minorkey.bundle.reference import assign_bins
from minorkey.drift.divergences import smoothed
from minorkey.evaluation.logit_bins import LOGIT_BINS, logit_bin_places
from minorkey.serving.metrics import PredictorMetrics
from minorkey.serving.predictor import Predictor
from minorkey.serving.samples import sample_rows
from minorkey.serving.shadow_metrics import ShadowMetrics
from minorkey.serving.slot import Slot
from minorkey.serving.verification import inference_body
from tests.serving.bundles import ROW

INFER = "/v2/models/cards/infer"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: bytes | str) -> Series:
    """Every sample by name and labels; no series may be told twice."""
    told = text if isinstance(text, str) else text.decode()
    found = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def of(series: Series, name: str, version: str = "1", **labels: str) -> float:
    return series[name, frozenset({"model": "cards", "version": version, **labels}.items())]


def named(series: Series, name: str, version: str = "1") -> dict[frozenset[tuple[str, str]], float]:
    own = {("model", "cards"), ("version", version)}
    return {labels - own: value for (key, labels), value in series.items() if key == name and own <= labels}


def rewritten(bundle: Bundle, folder: Path, reference: dict[str, Any]) -> Bundle:
    """The same graph under another reference profile."""
    graph = onnx.load(bundle.folder / "model.onnx")
    write_bundle(folder, graph, replace(bundle.info, reference=reference))
    return Bundle.load(folder)


def test_every_combination_begins_at_zero(http: httpx.Client, bundle: Bundle) -> None:
    series = read(http.get("/metrics").text)
    profile = bundle.info.reference
    bins = {
        frozenset({("feature", name), ("bin", place)})
        for name, entry in profile["features"].items()
        for place in entry["bins"]
    }
    assert named(series, "minorkey_feature_bin_total") == dict.fromkeys(bins, 0.0)
    scores = {frozenset({("bin", place)}) for place in profile["score"]["bins"]}
    assert named(series, "minorkey_score_bin_total") == dict.fromkeys(scores, 0.0)
    assert list(named(series, "minorkey_expected_outcome_total").values()) == [0.0] * 4
    for code in ("200", "400", "500", "503"):
        assert of(series, "minorkey_request_total", code=code) == 0
    assert of(series, "minorkey_request_seconds_count") == 0
    assert of(series, "minorkey_bundle_info", digest=bundle.digest) == 1


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_every_row_is_counted_in_its_bins(http: httpx.Client, bundle: Bundle, rows: int) -> None:
    columns = sample_rows(bundle.info, rows, seed=3)
    columns["amount"][0] = np.nan
    columns["country"][0] = "never seen"
    assert http.post(INFER, json=inference_body(columns)).status_code == 200
    series = read(http.get("/metrics").text)
    profile, score = bundle.info.reference, bundle.score_arrays(columns)[1]
    counted = named(series, "minorkey_feature_bin_total")
    for name, entry in profile["features"].items():
        places = Counter(entry["bins"][place] for place in assign_bins(entry, columns[name]))
        for place in entry["bins"]:
            assert counted[frozenset({("feature", name), ("bin", place)})] == places[place]
    places = Counter(profile["score"]["bins"][place] for place in assign_bins(profile["score"], score))
    for labels, value in named(series, "minorkey_score_bin_total").items():
        assert value == places[dict(labels)["bin"]]
    for predicted in (0, 1):
        chosen = score[(score >= 0.4) == bool(predicted)]
        told = [
            of(series, "minorkey_expected_outcome_total", predicted=str(predicted), actual=str(actual))
            for actual in (0, 1)
        ]
        np.testing.assert_allclose(told, [len(chosen) - chosen.sum(), chosen.sum()], atol=1e-9)
        assert of(series, "minorkey_prediction_total", predicted=str(predicted)) == len(chosen)


def test_rows_are_counted_in_bins_that_every_version_shares(http: httpx.Client, bundle: Bundle) -> None:
    zero = dict.fromkeys((frozenset({("bin", place)}) for place in LOGIT_BINS), 0.0)
    assert named(read(http.get("/metrics").text), "minorkey_score_logit_bin_total") == zero
    columns = sample_rows(bundle.info, 40, seed=3)
    http.post(INFER, json=inference_body(columns)).raise_for_status()
    http.post("/predict", json=ROW).raise_for_status()
    places = logit_bin_places(bundle.score_arrays(columns)[1])
    counted = named(read(http.get("/metrics").text), "minorkey_score_logit_bin_total")
    expected = Counter(LOGIT_BINS[place] for place in places)
    one = http.post("/predict", json=ROW).json()["predictions"][0]["score"]
    expected[LOGIT_BINS[logit_bin_places([one])[0]]] += 1
    assert {dict(labels)["bin"]: value for labels, value in counted.items() if value} == expected


def test_a_check_is_answered_and_counted_nowhere(http: httpx.Client) -> None:
    before = http.get("/metrics").text
    answer = http.post("/predict", json=ROW, headers={"X-Minorkey-Check": "1"})
    assert answer.status_code == 200 and "score" in answer.text
    assert http.post("/predict", json={"a": 1}, headers={"X-Minorkey-Check": "1"}).status_code == 400
    assert http.get("/metrics").text == before


def test_refused_requests_count_no_rows(http: httpx.Client) -> None:
    http.post("/predict", json=[ROW, {"amount": 1}])
    series = read(http.get("/metrics").text)
    assert set(named(series, "minorkey_feature_bin_total").values()) == {0.0}
    assert of(series, "minorkey_request_total", code="400") == 1


def test_rows_of_many_threads_and_two_versions_are_all_counted_once(
    bundle: Bundle, other_bundle: Bundle
) -> None:
    versions = [Predictor(bundle, "cards", "1"), Predictor(other_bundle, "cards", "2")]
    slot = Slot(versions[0])
    columns = sample_rows(bundle.info, 3)
    answers = {predictor.version: predictor.predict(columns) for predictor in versions}

    def work() -> None:
        for number in range(150):
            if number % 50 == 0:
                slot.swap(versions[number // 50 % 2])
            predictor = versions[number % 2]
            slot.metrics.predicted(predictor, columns, answers[predictor.version])

    slot.swap(versions[1])
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    series = read(slot.metrics.text())
    for version in ("1", "2"):
        rows = 4 * 75 * 3
        assert of(series, "minorkey_rows_total", version) == rows
        assert sum(named(series, "minorkey_score_bin_total", version).values()) == rows
        assert sum(named(series, "minorkey_feature_bin_total", version).values()) == rows * 3


def test_series_of_versions_long_gone_end(bundle: Bundle) -> None:
    metrics = PredictorMetrics()
    for version in ("1", "2", "3"):
        metrics.serve(Predictor(bundle, "cards", version))
    series = read(metrics.text())
    assert not named(series, "minorkey_score_bin_total", "1")
    assert named(series, "minorkey_score_bin_total", "2") and named(series, "minorkey_score_bin_total", "3")
    assert not named(series, "minorkey_reference_rate", "2")
    assert [version for version in ("1", "2", "3") if named(series, "minorkey_bundle_info", version)] == ["3"]
    assert versions_of(series) == {"2", "3"}
    assert of(series, "minorkey_request_total", "2", code="200") == 0


def test_a_late_request_of_a_version_long_gone_brings_no_series_back(bundle: Bundle) -> None:
    metrics = PredictorMetrics()
    columns = sample_rows(bundle.info, 2)
    first, second, third = (Predictor(bundle, "cards", version) for version in ("1", "2", "3"))
    for predictor in (first, second, third):
        metrics.serve(predictor)
    for late in (first, second):
        metrics.answered(late, 413, 0.1)
        metrics.predicted(late, columns, late.predict(columns))
        metrics.dropped(late, 2)
    series = read(metrics.text())
    assert versions_of(series) == {"2", "3"}
    assert of(series, "minorkey_request_total", "2", code="413") == 1
    assert of(series, "minorkey_record_dropped_total", "2") == 2
    metrics.serve(first)
    assert of(read(metrics.text()), "minorkey_rows_total", "1") == 0


def test_only_two_versions_are_told_however_requests_and_swaps_meet(bundle: Bundle) -> None:
    predictors = [Predictor(bundle, "cards", str(number)) for number in range(40)]
    metrics = PredictorMetrics()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            for predictor in predictors:
                metrics.answered(predictor, 200, 0.001)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for predictor in predictors:
        metrics.serve(predictor)
    done.set()
    for thread in threads:
        thread.join()
    assert versions_of(read(metrics.text())) == {"38", "39"}


def versions_of(series: Series) -> set[str]:
    return {dict(labels)["version"] for _, labels in series if "version" in dict(labels)}


def test_another_bundle_under_the_same_version_begins_anew(bundle: Bundle, other_bundle: Bundle) -> None:
    first, second = (Predictor(one, "cards", "1") for one in (bundle, other_bundle))
    metrics = PredictorMetrics()
    columns = sample_rows(bundle.info, 5)
    metrics.serve(first)
    metrics.predicted(first, columns, first.predict(columns))
    metrics.serve(first)
    assert sum(named(read(metrics.text()), "minorkey_score_bin_total").values()) == 5
    metrics.serve(second)
    metrics.predicted(first, columns, first.predict(columns))
    assert sum(named(read(metrics.text()), "minorkey_score_bin_total").values()) == 0


def test_the_reference_is_told(http: httpx.Client, bundle: Bundle) -> None:
    series = read(http.get("/metrics").text)
    profile = bundle.info.reference
    for name, entry in profile["features"].items():
        shares = smoothed(np.array(entry["fractions"]) * profile["rows"])
        for place, share in zip(entry["bins"], shares, strict=True):
            told = of(series, "minorkey_feature_reference_fraction", feature=name, bin=place)
            assert told == pytest.approx(share, rel=1e-12)
        told = of(
            series, "minorkey_feature_null", feature=name, statistic="psi", window="500", quantile="0.99"
        )
        assert told == entry["null"]["psi"][0][1]
    drift = of(series, "minorkey_drift_null", statistic="jensen_shannon", window="2000", quantile="0.5")
    assert drift == profile["null"]["largest"]["jensen_shannon"][1][0]
    assert of(series, "minorkey_null_window_rows", window="8000") == 8_000
    assert len(named(series, "minorkey_logit_bin_centre")) == len(LOGIT_BINS)
    assert of(series, "minorkey_features_left_out") == 0


def test_rates_of_the_reference(bundle: Bundle, tmp_path: Path) -> None:
    rates = {"prevalence": 0.1, "true_positive": 0.8, "true_positive_variance": 0.01, "false_positive": None}
    metrics = PredictorMetrics()
    told = {"rates": rates, "design": {"mcc": 1.5, "recall": 1.0}}
    loaded = rewritten(bundle, tmp_path / "rated", bundle.info.reference | told)
    metrics.serve(Predictor(loaded, "cards", "1"))
    series = read(metrics.text())
    assert of(series, "minorkey_reference_rate", rate="true_positive") == 0.8
    assert of(series, "minorkey_reference_rate_variance", rate="true_positive") == 0.01
    assert len(named(series, "minorkey_reference_rate")) == 2
    assert of(series, "minorkey_reference_design_effect", figure="mcc") == 1.5
    assert len(named(series, "minorkey_reference_design_effect")) == 2


def test_bundles_without_a_newer_profile_serve_all_the_same(bundle: Bundle, tmp_path: Path) -> None:
    profile = bundle.info.reference
    old = {name: value for name, value in profile.items() if name not in ("null", "rates", "design")}
    old["features"] = {
        name: {key: value for key, value in entry.items() if key not in ("null", "importance")}
        for name, entry in profile["features"].items()
    }
    old["score"] = {key: value for key, value in profile["score"].items() if key != "null"}
    for name, reference in (("old", old), ("bare", {})):
        slot = Slot(Predictor(rewritten(bundle, tmp_path / name, reference), "cards", "1"))
        columns = sample_rows(bundle.info, 2)
        slot.metrics.predicted(slot.current, columns, slot.current.predict(columns))
        series = read(slot.metrics.text())
        assert of(series, "minorkey_rows_total") == 2
        assert not named(series, "minorkey_feature_null")
        assert bool(named(series, "minorkey_feature_bin_total")) == (name == "old")


def test_what_is_left_out_is_named(bundle: Bundle, tmp_path: Path) -> None:
    profile = bundle.info.reference
    dropped = [f"column {place}" for place in range(150)]
    few = profile | {"features": {"amount": profile["features"]["amount"]}, "left_out": dropped}
    metrics = PredictorMetrics()
    metrics.serve(Predictor(rewritten(bundle, tmp_path / "few", few), "cards", "1"))
    series = read(metrics.text())
    assert of(series, "minorkey_features_left_out") == 150
    assert of(series, "minorkey_feature_left_out", feature="column 99") == 1
    assert len(named(series, "minorkey_feature_left_out")) == 100
    assert {dict(labels)["feature"] for labels in named(series, "minorkey_feature_bin_total")} == {"amount"}


def test_names_and_levels_may_hold_anything(bundle: Bundle, tmp_path: Path) -> None:
    strange = 'a"b\\c\nd é'
    entry = bundle.info.reference["features"]["country"] | {
        "bins": [strange, "BE", "DE", "missing", "\ud800"]
    }
    reference = bundle.info.reference | {"features": {"country": entry}, "left_out": ["\udfff", strange]}
    metrics = PredictorMetrics()
    metrics.serve(Predictor(rewritten(bundle, tmp_path / "strange", reference), "cards", "1"))
    series = read(metrics.text())
    bins = {dict(labels)["bin"] for labels in named(series, "minorkey_feature_bin_total")}
    assert bins == {strange, "BE", "DE", "missing", "\\ud800"}
    left_out = {dict(labels)["feature"] for labels in named(series, "minorkey_feature_left_out")}
    assert left_out == {strange, "\\udfff"}


def test_every_metric_is_documented_and_every_documented_one_is_told(bundle: Bundle, tmp_path: Path) -> None:
    rates = {"prevalence": 0.1, "true_positive": 0.8, "true_positive_variance": 0.01}
    reference = bundle.info.reference | {"rates": rates, "design": {"mcc": 1.5}, "left_out": ["more"]}
    metrics = PredictorMetrics()
    metrics.serve(Predictor(rewritten(bundle, tmp_path / "full", reference), "cards", "1"))
    challenger, shadow = Predictor(bundle, "cards", "2"), ShadowMetrics(metrics.registry)
    shadow.begin(challenger, "1")
    shadow.announce(challenger)
    endings = ("_bucket", "_count", "_sum")
    told = {name for name, _ in read(metrics.text())}
    told = {next((name.removesuffix(end) for end in endings if name.endswith(end)), name) for name in told}
    page = (Path(__file__).parents[2] / "docs/reference/metrics.md").read_text(encoding="utf-8")
    section = page.split("## Predictor")[1].split("\n## ")[0]
    assert told == set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
