"""Every alert: silent, just below, firing after its ``for``, and recovered."""

from pathlib import Path

import pytest

from minorkey.drift.rules import LOOP, PRODUCTION, Windows, render
from tests.monitoring.alert_cases import alert_file, stories
from tests.monitoring.promtool import complaints


def complaint(folder: Path, name: str, w: Windows, alerts: str = "") -> str:
    (folder / "alerts.yaml").write_text(alerts or render("alerts", w), encoding="utf-8")
    (folder / "test.yaml").write_text(alert_file(name, w, "alerts.yaml"), encoding="utf-8")
    return complaints("test", "rules", folder / "test.yaml")


@pytest.mark.parametrize("w", [PRODUCTION, LOOP], ids=lambda w: w.name)
@pytest.mark.parametrize("name", stories(PRODUCTION))
def test_alert(name: str, w: Windows, tmp_path: Path, promtool: None) -> None:
    assert complaint(tmp_path, name, w) == ""


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("MinorkeyEstimatedPerformanceDown", "0.85 *", "0.86 *"),
        ("MinorkeyPerformanceDown", "measured_high < -0.05", "measured_high <= -0.05"),
        ("MinorkeyDataDrift", "psi:max > 0.1", "psi:max >= 0.1"),
        ("MinorkeyChampionWorse", "measured_high\n            < on", "measured_high\n            <= on"),
        ("MinorkeyRetuneStuck", "> 300", "> 299"),
        ("MinorkeyPredictorDown", "for: 8s", "for: 0s"),
    ],
)
def test_a_fault_in_an_alert_is_found(
    name: str, right: str, wrong: str, tmp_path: Path, promtool: None
) -> None:
    alerts = render("alerts", LOOP)
    assert right in alerts
    assert complaint(tmp_path, name, LOOP, alerts.replace(right, wrong)) != ""
