"""release: the lease of a run on a cluster ends with the run, whoever holds others stays."""

from pathlib import Path

import pytest

from minorkey import lease
from minorkey.form import Compiled, Form
from minorkey.steps import load, release

HERE = Compiled("image")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    for name in ("MINORKEY_RUN_KEY", "MINORKEY_OWNER_LOCK", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def load_rows(folder: Path, run_id: str):
    data = '{"options": {"rows": 3000, "days": 14}}'
    names = {"base_version": "", "feedback_uri": "", "until": ""}
    return load.run(model="cards", data=data, data_dir=folder / "data", run_id=run_id, **names)


def test_the_engines_run_id_is_the_run_key_and_holds_the_lease_until_the_release(tmp_path):
    assert load_rows(tmp_path, "run-1").run_key == "run-1"
    with pytest.raises(SystemExit):
        load_rows(tmp_path, "run-2")
    release.run(form=Form(model="cards"), compiled=HERE, run_id="run-2")
    assert lease.holder("cards").run_key == "run-1"
    release.run(form=Form(model="cards"), compiled=HERE, run_id="run-1")
    assert lease.holder("cards") is None


def test_a_form_that_configure_refuses_releases_nothing_and_fails_not():
    lease.take("cards", "run-1")
    release.run(form=Form(model="cards", spec="{"), compiled=HERE, run_id="run-1")
    assert lease.holder("cards").run_key == "run-1"


def test_on_this_machine_the_command_that_owns_the_run_releases(tmp_path, monkeypatch):
    owner = tmp_path / "owner"
    owner.touch()
    lease.take("cards", "run-1")
    monkeypatch.setattr("minorkey.steps.step.when_owner_dies", lambda *arguments: None)
    monkeypatch.setenv("MINORKEY_OWNER_LOCK", str(owner))
    release.run(form=Form(model="cards"), compiled=HERE, run_id="run-1")
    assert lease.holder("cards").run_key == "run-1"
