"""What every study root must do. A module of an implementation gives the fixture ``location``."""

import concurrent.futures
from pathlib import Path

import pytest

from minorkey.errors import ContractError
from minorkey.trials.study_root import StudyRoot, open_root


class StudyRootContract:
    @pytest.fixture
    def root(self, location: str) -> StudyRoot:
        return open_root(location)

    def test_what_was_put_first_stays(self, root: StudyRoot) -> None:
        assert root.get("a/b.json") is None
        assert root.put_if_absent("a/b.json", b"one")
        assert not root.put_if_absent("a/b.json", b"two")
        assert root.get("a/b.json") == b"one"

    def test_it_is_found_again_by_its_location(self, root: StudyRoot) -> None:
        root.put_if_absent("a", b"one")
        again = open_root(root.location)
        assert again.location == root.location
        assert again.get("a") == b"one" and again.list("") == ["a"]

    def test_content_comes_back_byte_for_byte(self, root: StudyRoot) -> None:
        contents = {"empty": b"", "all": bytes(range(256)) * 40, "large": bytes(6_000_000)}
        for key, content in contents.items():
            assert root.put_if_absent(key, content)
        assert {key: root.get(key) for key in contents} == contents

    def test_keys_are_listed_by_prefix_and_sorted(self, root: StudyRoot) -> None:
        for key in ("trials/0002/plan.json", "trials/0001/result.json", "trials/00020.json", "members/x"):
            root.put_if_absent(key, b"")
        assert root.list("trials/0002") == ["trials/0002/plan.json", "trials/00020.json"]
        assert root.list("trials/0002/") == ["trials/0002/plan.json"]
        assert root.list("") == [
            "members/x",
            "trials/0001/result.json",
            "trials/0002/plan.json",
            "trials/00020.json",
        ]
        assert root.list("nothing/here/") == []

    def test_a_new_root_is_empty(self, root: StudyRoot) -> None:
        assert root.list("") == []

    def test_of_many_writers_one_wins(self, root: StudyRoot) -> None:
        contents = [bytes([number]) * 100_000 for number in range(8)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for key in ("one", "two", "three"):

                def put(content: bytes, key: str = key) -> bool:
                    return root.put_if_absent(key, content)

                won = list(pool.map(put, contents))
                assert won.count(True) == 1
                assert root.get(key) == contents[won.index(True)]
        assert root.list("") == ["one", "three", "two"]

    @pytest.mark.parametrize("key", ["", "/etc/x", "a/../../x", "../x"])
    def test_keys_stay_inside(self, root: StudyRoot, key: str) -> None:
        with pytest.raises(ContractError):
            root.put_if_absent(key, b"")

    def test_the_driver_has_a_folder_of_its_own(self, root: StudyRoot) -> None:
        folder: Path = root.driver_folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_text("x")
        assert root.driver_folder == folder
