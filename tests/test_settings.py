import os

import pytest

from minorkey.errors import StateError
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


@pytest.mark.parametrize("text", ["20GiB", "-1", "0", "1e9"])
def test_what_is_no_number_of_bytes_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MINORKEY_FOLD_STORE_BYTES", text)
    with pytest.raises(StateError) as raised:
        settings()
    assert (raised.value.key, raised.value.value) == ("MINORKEY_FOLD_STORE_BYTES", text)
    assert "whole number" in raised.value.allowed


@pytest.mark.parametrize(("text", "expected"), [("", 20 * 2**30), ("4096", 4096)])
def test_a_number_of_bytes(monkeypatch: pytest.MonkeyPatch, text: str, expected: int) -> None:
    monkeypatch.setenv("MINORKEY_FOLD_STORE_BYTES", text)
    assert settings().fold_store_bytes == expected
