import os

import pytest

from minorkey.settings import alone, settings


def test_settings_of_its_own_hide_all_others_and_end_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_HOME", "/before")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    monkeypatch.setenv("OTHER", "stays")
    with pytest.raises(KeyError), alone({"MINORKEY_HOME": "/within"}):
        assert str(settings().home) == "/within" and "elsewhere" not in settings().tracking_uri
        assert os.environ["OTHER"] == "stays"
        os.environ["MLFLOW_TRACKING_URI"] = "http://left-behind"
        raise KeyError
    assert os.environ["MINORKEY_HOME"] == "/before" and settings().tracking_uri == "http://elsewhere"
