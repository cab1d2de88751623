"""A run's folder: claimed by one command, resumed, refused, cleared."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minorkey.errors import DataError, StateError
from minorkey.run_state import OwnerLock, RunFolder, spec_digest, when_owner_dies
from minorkey.spec import RunSpec, with_overrides
from minorkey.trials.study_root import open_root

SPEC = RunSpec()
OTHER = RunSpec(seed=1)


def interrupted(out: Path, spec: RunSpec = SPEC) -> str:
    """Run key of a run that began in the folder and did not finish."""
    with RunFolder.hold(out, spec) as folder:
        (folder.study).mkdir()
        return folder.run_key


def finished(out: Path) -> str:
    with RunFolder.hold(out, SPEC) as folder:
        (out / "result.json").write_text("{}")
        folder.finish()
        return folder.run_key


def test_the_same_specification_goes_on_with_the_same_key(tmp_path):
    key = interrupted(tmp_path / "out")
    with RunFolder.hold(tmp_path / "out", SPEC) as folder:
        assert folder.resumed and folder.run_key == key and folder.study.exists()


def test_overwrite_resumes_an_interrupted_run_of_the_same_specification(tmp_path):
    key = interrupted(tmp_path / "out")
    with RunFolder.hold(tmp_path / "out", SPEC, overwrite=True) as folder:
        assert folder.resumed and folder.run_key == key


def test_a_run_with_other_parameters_is_another_run(tmp_path):
    with RunFolder.hold(tmp_path / "out", SPEC, parameters={"base_version": "3"}) as folder:
        folder.study.mkdir()
        key = folder.run_key
    for other in ({}, {"base_version": "4"}):
        refused = RunFolder.hold(tmp_path / "out", SPEC, parameters=other)
        with pytest.raises(StateError, match="another specification"), refused:
            pass
    with RunFolder.hold(tmp_path / "out", SPEC, parameters={"base_version": "3"}) as folder:
        assert folder.resumed and folder.run_key == key


def test_another_specification_is_refused_and_with_overwrite_begins_anew(tmp_path):
    key = interrupted(tmp_path / "out")
    with pytest.raises(StateError, match="unfinished"), RunFolder.hold(tmp_path / "out", OTHER):
        pass
    with RunFolder.hold(tmp_path / "out", OTHER, overwrite=True) as folder:
        assert not folder.resumed and folder.run_key != key and not folder.study.exists()


def test_a_finished_run_is_refused_and_with_overwrite_replaced(tmp_path):
    key = finished(tmp_path / "out")
    assert not (tmp_path / "out/.work").exists()
    with pytest.raises(StateError, match="finished run"), RunFolder.hold(tmp_path / "out", SPEC):
        pass
    assert (tmp_path / "out/result.json").exists()
    with RunFolder.hold(tmp_path / "out", SPEC, overwrite=True) as folder:
        assert folder.run_key != key and not (tmp_path / "out/result.json").exists()


def test_a_changed_file_is_another_run(tmp_path):
    source = tmp_path / "rows.csv"
    source.write_text("a,y\n1,0\n")
    spec = with_overrides({"data": {"source": str(source), "target": "y"}}, {})
    before = spec_digest(spec)
    source.write_text("a,y\n1,0\n2,1\n")
    assert spec_digest(spec) != before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_never_written(tmp_path, overwrite):
    (tmp_path / "thesis.txt").write_text("mine")
    refused = pytest.raises(StateError, match="not the folder of a run")
    with refused, RunFolder.hold(tmp_path, SPEC, overwrite=overwrite):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_overwriting_keeps_files_that_are_not_the_runs(tmp_path):
    finished(tmp_path / "out")
    (tmp_path / "out/notes.txt").write_text("mine")
    with RunFolder.hold(tmp_path / "out", SPEC, overwrite=True):
        pass
    assert (tmp_path / "out/notes.txt").read_text() == "mine"


def test_two_commands_in_one_folder_are_refused(tmp_path):
    with RunFolder.hold(tmp_path / "out", SPEC) as first:
        refused = pytest.raises(StateError, match="another command")
        with refused, RunFolder.hold(tmp_path / "out", SPEC, overwrite=True):
            pass
        assert first.owner.exists()


def test_abandoning_leaves_nothing(tmp_path):
    with RunFolder.hold(tmp_path / "out", SPEC) as folder:
        folder.abandon()
    assert list(tmp_path.iterdir()) == []


def finish_trial(folder: RunFolder) -> Path:
    result = folder.study / "trials/final/0000/result.json"
    result.parent.mkdir(parents=True)
    result.write_text("{}")
    return result


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_disk_that_fills_up_after_the_search_costs_no_trial(tmp_path, overwrite):
    out = tmp_path / "out"
    if overwrite:
        finished(out)
    full = StateError("the disk is full", key="out", remedy="free some space")
    with pytest.raises(StateError, match="full"), RunFolder.hold(out, SPEC, overwrite=overwrite) as folder:
        result = finish_trial(folder)
        raise full
    with RunFolder.hold(out, SPEC, overwrite=overwrite) as again:
        assert again.resumed and again.run_key == folder.run_key and result.exists()


def test_trials_that_finished_in_a_bucket_are_kept(tmp_path, monkeypatch, s3):
    monkeypatch.setenv("MINORKEY_STUDY_ROOT", f"{s3}/studies")
    out = tmp_path / "out"
    full = StateError("the disk is full", key="out", remedy="free some space")
    with pytest.raises(StateError, match="full"), RunFolder.hold(out, SPEC) as folder:
        assert folder.study_root == f"{s3}/studies/{folder.run_key}"
        open_root(folder.study_root).put_if_absent("trials/final/0000/result.json", b"{}")
        raise full
    with RunFolder.hold(out, SPEC) as again:
        assert again.resumed and again.run_key == folder.run_key


def test_a_run_without_a_trial_in_its_bucket_leaves_nothing(tmp_path, monkeypatch, s3):
    monkeypatch.setenv("MINORKEY_STUDY_ROOT", f"{s3}/studies")
    with pytest.raises(DataError), RunFolder.hold(tmp_path / "out", SPEC) as folder:
        open_root(folder.study_root).put_if_absent("trials/final/0000/plan.json", b"{}")
        raise DataError("there are no rows", key="rows.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("told", [False, True])
def test_where_the_bucket_is_away_what_the_run_has_told_decides(tmp_path, monkeypatch, told):
    monkeypatch.setenv("MINORKEY_STUDY_ROOT", "ftp://nowhere")
    with pytest.raises(StateError, match="away"), RunFolder.hold(tmp_path / "out", SPEC) as folder:
        if told:
            folder.events.write_text('{"event": "trial_finished", "number": 0}\n')
        raise StateError("the bucket is away", key="bucket", remedy="wait")
    assert (tmp_path / "out/state.json").exists() == told


def test_the_overwritten_run_is_back_as_it_was_when_the_new_one_fails_on_its_input(tmp_path):
    finished(tmp_path / "out")
    (tmp_path / "out/bundle").mkdir()
    (tmp_path / "out/bundle/model.onnx").write_text("the old model")
    before = everything(tmp_path)
    refused = pytest.raises(DataError)
    with refused, RunFolder.hold(tmp_path / "out", OTHER, overwrite=True):
        raise DataError("there are no rows", key="rows.csv")
    assert everything(tmp_path) == before


def test_the_overwritten_run_is_kept_aside_until_the_new_one_is_finished(tmp_path):
    out = tmp_path / "out"
    finished(out)
    (out / "report.html").write_text("the old report")
    with RunFolder.hold(out, OTHER, overwrite=True) as folder:
        finish_trial(folder)
    assert (out / ".former/report.html").read_text() == "the old report"
    with RunFolder.hold(out, OTHER) as folder:
        folder.finish()
    assert not (out / ".former").exists() and not (out / "report.html").exists()


def everything(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("step", ["mkdir", "_write_state", "_make"])
def test_a_kill_while_the_folder_is_claimed_leaves_one_that_can_be_claimed(tmp_path, step, overwrite):
    out = tmp_path / "out"
    if overwrite:
        finished(out)
    code = f"""
import os, sys
from pathlib import Path
from minorkey import run_state
from minorkey.spec import RunSpec
def die(*_): os._exit(9)
if {step!r} == "mkdir":
    run_state.OwnerLock.__enter__ = die
elif {step!r} == "_write_state":
    Path.replace = die
else:
    run_state._make = die
with run_state.RunFolder.hold(Path(sys.argv[1]), RunSpec(), overwrite={overwrite}): pass
"""
    assert subprocess.run([sys.executable, "-c", code, str(out)]).returncode == 9
    with RunFolder.hold(out, SPEC, overwrite=overwrite) as folder:
        assert folder.work.is_dir() and (out / "spec.json").exists()
        folder.finish()
    assert json.loads((out / "state.json").read_text())["status"] == "finished"


def test_the_death_of_the_owner_is_noticed_however_it_dies(tmp_path):
    lock = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from minorkey.run_state import OwnerLock\n"
        "with OwnerLock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None and owner.stdout.readline() == "held\n"
    noticed: list[float] = []
    when_owner_dies(lock, lambda: noticed.append(time.monotonic()))
    with pytest.raises(StateError, match="another command") as caught, OwnerLock(lock):
        pass
    assert str(owner.pid) in str(caught.value)
    assert noticed == []
    owner.kill()
    owner.wait()
    until = time.monotonic() + 10
    while not noticed and time.monotonic() < until:
        time.sleep(0.01)
    assert noticed
