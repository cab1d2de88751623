"""An earlier run is aside while another takes its place, and comes back whole whatever a kill left."""

from pathlib import Path

import pytest

from minorkey.errors import DataError
from minorkey.run_contents import clear, is_torn, put_former_back, set_aside
from minorkey.run_state import RunFolder, spec_digest
from minorkey.spec import RunSpec, with_overrides

FILES = ["bundle/model.onnx", "logs/pipeline.log", "notes.txt", "report.html", "result.json", "state.json"]


def write_run(out: Path, text: str) -> None:
    for name in FILES:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)


def files(out: Path) -> dict[str, str]:
    return {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    write_run(tmp_path / "out", "old")
    return tmp_path / "out"


def test_set_aside_and_put_back(out: Path) -> None:
    before = files(out)
    set_aside(out)
    assert sorted(path.name for path in out.iterdir()) == [".former", "notes.txt"]
    for name in ("report.html", "state.json", "state.json.partial", ".bundle.partial"):
        (out / name).write_text("new")
    assert not is_torn(out)
    put_former_back(out)
    assert files(out) == before


def test_the_earlier_run_stays_aside_when_its_successor_is_replaced_in_turn(out: Path) -> None:
    before = files(out)
    set_aside(out)
    (out / "state.json").write_text("second")
    set_aside(out)
    (out / "state.json").write_text("third")
    put_former_back(out)
    assert files(out) == before


@pytest.mark.parametrize("moved", range(6))
def test_a_kill_while_setting_aside_is_mended(out: Path, moved: int) -> None:
    before = files(out)
    (out / ".former").mkdir()
    for name in ["logs", "bundle", "report.html", "result.json", "state.json"][:moved]:
        (out / name).rename(out / ".former" / name)
    assert is_torn(out)
    put_former_back(out)
    assert files(out) == before and not is_torn(out)


@pytest.mark.parametrize("returned", range(5))
def test_a_kill_while_putting_back_is_mended(out: Path, returned: int) -> None:
    before = files(out)
    set_aside(out)
    for name in ["state.json", "logs", "bundle", "report.html", "result.json"][:returned]:
        (out / ".former" / name).rename(out / name)
    assert is_torn(out)
    put_former_back(out)
    assert files(out) == before


def test_clearing_leaves_what_is_not_the_runs(out: Path) -> None:
    clear(out)
    assert files(out) == {"notes.txt": "old"}


def test_a_finished_successor_leaves_nothing_of_the_earlier_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for seed in (1, 2):
        with RunFolder.hold(out, RunSpec(seed=seed), overwrite=True) as folder:
            (out / "result.json").write_text(str(seed))
            folder.finish()
    assert (out / "result.json").read_text() == "2"
    assert not (out / ".former").exists() and not (out / ".work").exists()


def test_a_successor_that_was_killed_and_then_fails_gives_the_earlier_run_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with RunFolder.hold(out, RunSpec(seed=1)) as folder:
        (out / "result.json").write_text("first")
        folder.finish()
    before = files(out)
    with RunFolder.hold(out, RunSpec(seed=2), overwrite=True):
        pass
    with pytest.raises(DataError), RunFolder.hold(out, RunSpec(seed=2), overwrite=True) as folder:
        assert folder.resumed
        raise DataError("the file does not exist")
    assert {**files(out), ".lock": ""} == {**before, ".lock": ""}


def test_folders_made_for_nothing_are_removed_up_to_the_first_that_was_there(tmp_path: Path) -> None:
    with pytest.raises(DataError), RunFolder.hold(tmp_path / "a/b/out", RunSpec()):
        raise DataError("the file does not exist")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError), RunFolder.hold(tmp_path / "out", RunSpec()):
        raise DataError("the file does not exist")
    assert files(tmp_path) == {} and (tmp_path / "out").is_dir()


def test_a_source_whose_name_is_no_file_name_is_left_to_the_load_step(tmp_path: Path) -> None:
    long, other = (
        with_overrides({"data": {"source": name, "target": "y"}}, {}) for name in ("x" * 5_000, "\0")
    )
    assert spec_digest(long) != spec_digest(other)
