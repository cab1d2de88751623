"""Back to an earlier champion, with the predictor and the registry real."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.cli import main
from minorkey.errors import BundleError, StateError
from minorkey.registry import move_champion
from minorkey.rollback import roll_back
from minorkey.serving import local
from minorkey.serving.promotion import serve_and_promote
from minorkey.tracking import champion_version, client
from tests.serving.bundles import ROW, small_bundle
from tests.steps.registered import registered


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    for name in ("MLFLOW_TRACKING_URI", "MINORKEY_BUNDLE_ROOT", "MINORKEY_ERROR"):
        monkeypatch.delenv(name, raising=False)
    yield
    local.stop("cards")


def promoted(folder: Path, count: int) -> list[tuple[str, Bundle, Path]]:
    """Versions that became champion one after the other: version, bundle, where the registry keeps it."""
    found: list[tuple[str, Bundle, Path]] = []
    for number in range(count):
        bundle = small_bundle(folder / f"bundle-{number}", seed=number)
        champion = champion_version("cards")
        made = registered(bundle, f"key-{number}", folder / "reports", champion=champion)
        move_champion("cards", made.model_version, expected=champion)
        found.append((made.model_version, bundle, Path(made.bundle_uri)))
    return found


def served(url: str) -> str:
    return httpx.post(f"{url}/predict", json=ROW, trust_env=False).json()["version"]


def test_one_command_swaps_the_predictor_and_leaves_a_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, *_), (second, bundle, _) = promoted(tmp_path, 2)
    before = serve_and_promote("cards", second, bundle, expected=second, host="127.0.0.1", port=0)
    with pytest.raises(SystemExit) as ended:
        main(["rollback", "cards", "--reason", "alarms"])
    assert not ended.value.code
    assert f"version {first} is champion again" in capsys.readouterr().out
    assert champion_version("cards") == first
    assert served(before["url"]) == first
    tag = client().get_model_version("cards", second).tags["minorkey.rolled_back"]
    assert tag.endswith(f"to version {first}: alarms")


def test_without_a_predictor_here_the_alias_alone_moves(tmp_path: Path) -> None:
    (first, *_), (second, *_) = promoted(tmp_path, 2)
    done = roll_back("cards", reason="r")
    assert (done.left, done.version, done.url) == (second, first, "")
    assert local.status("cards") is None


def test_a_version_that_was_left_is_passed_over(tmp_path: Path) -> None:
    first, second, third = (version for version, *_ in promoted(tmp_path, 3))
    assert roll_back("cards", reason="r").version == second
    move_champion("cards", third, expected=second)
    assert roll_back("cards", to=first, reason="r").version == first
    move_champion("cards", second, expected=first)
    assert roll_back("cards", reason="r").version == first
    with pytest.raises(StateError, match="no earlier champion"):
        roll_back("cards", reason="r")


def test_an_altered_bundle_leaves_the_champion(tmp_path: Path) -> None:
    (_, _, kept), (second, *_) = promoted(tmp_path, 2)
    (kept / "model.onnx").write_bytes(b"altered")
    with pytest.raises(BundleError):
        roll_back("cards", reason="r")
    assert champion_version("cards") == second


def test_a_challenger_is_promoted_and_not_rolled_back_to(tmp_path: Path) -> None:
    (first, *_), (second, *_) = promoted(tmp_path, 2)
    bundle = small_bundle(tmp_path / "challenger", seed=9)
    challenger = registered(bundle, "key-9", tmp_path / "reports", champion=second).model_version
    with pytest.raises(StateError, match="never been champion") as caught:
        roll_back("cards", to=challenger, reason="r")
    assert caught.value.remedy.endswith(f"`minorkey promote cards --version {challenger}`")
    assert champion_version("cards") == second
    assert "minorkey.rolled_back" not in client().get_model_version("cards", second).tags
    assert roll_back("cards", to=first, reason="r").version == first
    assert roll_back("cards", to=second, reason="it was better").version == second


@pytest.mark.parametrize(("model", "to"), [("unknown", ""), ("cards", "99"), ("cards", "1")])
def test_what_cannot_be_gone_back_to_is_refused(tmp_path: Path, model: str, to: str) -> None:
    promoted(tmp_path, 1)
    with pytest.raises(StateError):
        roll_back(model, to=to, reason="r")
    assert champion_version("cards") == "1"
