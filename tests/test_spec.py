"""The specification: what is read as what."""

import subprocess
import sys
from pathlib import Path

import pytest

from minorkey.cli.run import parse_settings
from minorkey.errors import SpecError
from minorkey.models import FAMILIES
from minorkey.resampling import RESAMPLERS
from minorkey.spec import RunSpec, load_spec, with_overrides
from minorkey.spec.search import KNOWN_FAMILIES, KNOWN_RESAMPLERS


@pytest.mark.parametrize("text", ["2025-02-01", "2025-02-01T06:00:00Z"])
def test_a_date_needs_no_quotes(tmp_path: Path, text: str) -> None:
    (tmp_path / "spec.yaml").write_text(f"split: {{test_start: {text}}}")
    from_file = load_spec(tmp_path / "spec.yaml")
    from_setting = with_overrides({}, parse_settings([f"split.test_start={text}"]))
    assert from_file == from_setting
    assert str(from_setting.split.test_start).startswith("2025-02-01")


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("")
    assert load_spec(tmp_path / "spec.yaml") == RunSpec()


def test_a_key_below_a_value_is_refused() -> None:
    with pytest.raises(SpecError, match="no keys below it"):
        with_overrides({}, {"seed": 1, "seed.sub": 2})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("split.label_delay", "7 days"),
        ("split.train_window", "d"),
        ("split.test_window", "-7d"),
        ("split.train_windows", ["7d", "7"]),
        ("split.train_start", "monday"),
        ("split.test_start", "31.12.2024 25:00"),
        ("monitor.label_horizon", "a week"),
    ],
)
def test_times_that_cannot_be_read_are_named_with_their_key(key: str, value: object) -> None:
    with pytest.raises(SpecError) as caught:
        with_overrides({}, {key: value})
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"target": "shop"}, "is the target"),
        ({"drop": ["shop"]}, "is dropped"),
        ({"features": ["amount"]}, "is not in data.features"),
        ({"entity": "shop"}, "has a role"),
    ],
)
def test_a_slice_by_what_cannot_be_a_feature_is_refused(data: dict[str, object], reason: str) -> None:
    with pytest.raises(SpecError, match=reason) as caught:
        with_overrides({"data": data}, {"evaluate.slices": ["shop"]})
    assert caught.value.key == "evaluate.slices"


def test_a_slice_by_a_kept_role_is_allowed() -> None:
    spec = with_overrides({"data": {"entity": "shop", "keep": ["shop"]}}, {"evaluate.slices": ["shop"]})
    assert spec.evaluate.slices == ("shop",)


def test_alerts_a_day_need_the_time_of_the_event() -> None:
    policy = {"search.threshold.policy": "alerts_per_day", "search.threshold.alerts": 20}
    with pytest.raises(SpecError, match=r"alerts_per_day needs data\.event_time"):
        with_overrides({"data": {"source": "rows.csv"}}, policy)
    assert with_overrides({"data": {"source": "rows.csv", "event_time": "sold"}}, policy)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("search.families", ["lightgbm", "ligthgbm"], "random_forest"),
        ("search.families", [], "at least one family"),
        ("search.resamplers", ["none", "smot"], "smote_nc"),
    ],
)
def test_names_that_are_not_registered_are_refused_with_the_specification(
    key: str, value: list[str], allowed: str
) -> None:
    with pytest.raises(SpecError) as caught:
        with_overrides({}, {key: value})
    assert caught.value.key == key
    assert caught.value.value == (value[-1] if value else "[]")
    assert allowed in caught.value.allowed


def test_every_registered_name_is_known() -> None:
    assert set(FAMILIES) == KNOWN_FAMILIES and set(RESAMPLERS) == KNOWN_RESAMPLERS
    spec = with_overrides({}, {"search.families": [*FAMILIES], "search.resamplers": [*RESAMPLERS]})
    assert spec.search.families == tuple(FAMILIES)


def test_a_family_that_was_registered_later_is_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "decision_tree", FAMILIES["lightgbm"])
    assert with_overrides({}, {"search.families": ["decision_tree"]}).search.families == ("decision_tree",)


def test_known_names_import_no_learning_library() -> None:
    program = (
        "import sys; from minorkey.spec import with_overrides;"
        "with_overrides({}, {'search.families': ['xgboost'], 'search.resamplers': ['smote']});"
        "print([name for name in ('optuna', 'sklearn', 'pandas', 'onnx') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_what_load_reads_names_the_slices() -> None:
    spec = with_overrides({"data": {"slices": ["shop"]}}, {"evaluate.slices": ["region", "shop"]})
    assert spec.data_to_load().slices == ("shop", "region")
