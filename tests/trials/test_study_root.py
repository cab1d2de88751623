import concurrent.futures
from pathlib import Path

import pytest

from minorkey.errors import ContractError, StateError
from minorkey.trials.study_root import LocalStudyRoot, open_root


def test_what_was_put_first_stays(tmp_path: Path) -> None:
    root = LocalStudyRoot(tmp_path / "new" / "root")
    assert root.get("a/b.json") is None
    assert root.put_if_absent("a/b.json", b"one")
    assert not root.put_if_absent("a/b.json", b"two")
    assert root.get("a/b.json") == b"one"
    assert open_root(root.location).get("a/b.json") == b"one"


def test_keys_are_listed_by_prefix(tmp_path: Path) -> None:
    root = LocalStudyRoot(tmp_path)
    for key in ("trials/0001/result.json", "trials/0002/plan.json", "trials/00020.json", "members/x"):
        root.put_if_absent(key, b"")
    assert root.list("trials/0002") == ["trials/0002/plan.json", "trials/00020.json"]
    assert root.list("trials/0002/") == ["trials/0002/plan.json"]
    assert len(root.list("")) == 4
    assert root.list("nothing/here/") == []


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    root = LocalStudyRoot(tmp_path)
    contents = [bytes([number]) * 100_000 for number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda content: root.put_if_absent("key", content), contents))
    assert won.count(True) == 1
    assert root.get("key") == contents[won.index(True)]
    assert root.list("") == ["key"]


@pytest.mark.parametrize("key", ["", "/etc/x", "a/../../x", ".partial/x"])
def test_keys_stay_inside(tmp_path: Path, key: str) -> None:
    with pytest.raises(ContractError):
        LocalStudyRoot(tmp_path).put_if_absent(key, b"")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError) as caught:
        LocalStudyRoot(tmp_path / "file").put_if_absent("a", b"")
    assert caught.value.remedy and caught.value.key == str(tmp_path / "file")
