"""What counts as fresh: rows later than any that the champion knows; with the registry real."""

import dataclasses
import shutil
import time
from pathlib import Path
from typing import Any

import fsspec
import onnx
import pytest

from minorkey.bundle.bundle import Bundle, write_bundle
from minorkey.registry import move_champion
from minorkey.retune.readiness import fresh_after
from tests.serving.bundles import small_bundle
from tests.test_rollback import registered


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    for name in ("MLFLOW_TRACKING_URI", "MINORKEY_BUNDLE_ROOT"):
        monkeypatch.delenv(name, raising=False)


def champion(folder: Path, **changes: Any) -> tuple[str, Path]:
    made = small_bundle(folder / "made")
    write_bundle(
        folder / "bundle", onnx.load(made.folder / "model.onnx"), dataclasses.replace(made.info, **changes)
    )
    entry = registered(Bundle.load(folder / "bundle"), "key", folder / "reports", champion="")
    move_champion("cards", entry.model_version, expected="")
    return entry.model_version, Path(entry.bundle_uri)


@pytest.mark.parametrize(
    ("membership", "adjusted", "wanted"),
    [
        ({"kind": "hash"}, [], None),
        ({"kind": "time", "train_end": 1_000.0}, [], 1_000.0),
        ({"kind": "time", "train_end": 1_000.0}, [{"until": 3_000.0}, {"until": None}], 3_000.0),
        ({"kind": "hash"}, [{"until": 2_000.0}], 2_000.0),
    ],
)
def test_rows_are_fresh_after_the_last_that_the_champion_knows(
    membership: dict[str, Any], adjusted: list[dict[str, Any]], wanted: float | None, tmp_path: Path
) -> None:
    version, _ = champion(tmp_path, membership=membership, lineage={"adjusted": adjusted})
    assert fresh_after("cards", version) == wanted


def test_data_of_the_future_are_fresh_since_the_version_became_champion(tmp_path: Path) -> None:
    before = time.time() - 1
    version, _ = champion(tmp_path, membership={"kind": "time", "train_end": 9e9})
    assert before < (fresh_after("cards", version) or 0) < time.time() + 1


def test_without_a_champion_or_its_bundle_nobody_can_tell(tmp_path: Path) -> None:
    assert fresh_after("cards", "") is None
    version, bundle = champion(tmp_path, membership={"kind": "time", "train_end": 1_000.0})
    shutil.rmtree(bundle)
    assert fresh_after("cards", version) is None


def test_a_champion_whose_bundle_is_gone_from_a_store_keeps_no_retune_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", "memory://gone")
    version, _ = champion(tmp_path, membership={"kind": "time", "train_end": 1_000.0})
    fsspec.filesystem("memory").rm("/gone", recursive=True)
    shutil.rmtree(tmp_path / "home" / "downloads", ignore_errors=True)
    assert fresh_after("cards", version) is None
