import pytest


@pytest.fixture(autouse=True)
def events_to_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("MINORKEY_EVENTS", str(tmp_path_factory.mktemp("events") / "events.jsonl"))
