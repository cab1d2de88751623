"""From the counters to the one alert that a kind of harm raises, through all rules and alerts."""

from pathlib import Path

import pytest

from minorkey.drift.rules import LOOP, PRODUCTION, Windows, render
from tests.monitoring.promtool import complaints
from tests.monitoring.together_cases import TOGETHER, together_file

pytestmark = pytest.mark.monitoring


@pytest.mark.parametrize("w", [PRODUCTION, LOOP], ids=lambda w: w.name)
@pytest.mark.parametrize("harm", TOGETHER)
def test_harm_raises_its_alert_and_no_other(harm: str, w: Windows, tmp_path: Path, promtool: None) -> None:
    for kind in ("rules", "alerts"):
        (tmp_path / f"{kind}.yaml").write_text(render(kind, w), encoding="utf-8")
    content = together_file(TOGETHER[harm], w, ("rules.yaml", "alerts.yaml"))
    (tmp_path / "test.yaml").write_text(content, encoding="utf-8")
    assert complaints("test", "rules", tmp_path / "test.yaml") == ""
