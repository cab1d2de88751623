from pathlib import Path

import optuna
import pytest

from minorkey.errors import StateError
from minorkey.search.journal import mend_tail, open_journal


def add_trial(folder: Path) -> int:
    with open_journal(folder) as storage:
        study = optuna.create_study(storage=storage, study_name="s", load_if_exists=True)
        study.tell(study.ask(), 1.0)
        return len(study.trials)


@pytest.mark.parametrize("kept", [1, 10, -1])
def test_a_torn_last_record_is_cut_off(tmp_path: Path, kept: int) -> None:
    add_trial(tmp_path)
    journal = tmp_path / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    torn = b"".join(lines[:-1]) + lines[-1][:kept]
    journal.write_bytes(torn)
    assert add_trial(tmp_path) == 2
    assert (tmp_path / "study.journal.torn").read_bytes() == torn
    assert add_trial(tmp_path) == 3


def test_a_whole_journal_is_left_alone(tmp_path: Path) -> None:
    add_trial(tmp_path)
    before = (tmp_path / "study.journal").read_bytes()
    assert not mend_tail(tmp_path / "study.journal")
    assert (tmp_path / "study.journal").read_bytes() == before


def test_damage_in_the_middle_is_an_error(tmp_path: Path) -> None:
    add_trial(tmp_path)
    journal = tmp_path / "study.journal"
    journal.write_bytes(b"{broken\n" + journal.read_bytes())
    with pytest.raises(StateError, match="damaged"):
        add_trial(tmp_path)


def test_the_lock_is_free_once_its_holder_is_done(tmp_path: Path) -> None:
    with open_journal(tmp_path):
        with pytest.raises(StateError) as caught, open_journal(tmp_path):
            pass
        assert caught.value.remedy
    with open_journal(tmp_path):
        pass


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError), open_journal(tmp_path / "file" / "study"):
        pass
