"""load: read any source, check it, profile it, and take the model's lease."""

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minorkey import lease
from minorkey.data.compatibility import require_champion_features
from minorkey.data.dataset import Schema
from minorkey.data.feedback import check_feedback, rows_before, with_feedback
from minorkey.data.loading import Loaded, build_dataset, read_source
from minorkey.errors import StateError
from minorkey.progress import emit
from minorkey.settings import settings
from minorkey.spec import DataSpec, parse_section
from minorkey.steps.step import step

__all__ = ["BASE", "LoadResult", "run"]

#: File beside the rows of a retune: the version that it starts from, and until when that was trained.
BASE = "base.json"


@dataclass(frozen=True)
class LoadResult:
    """What the later steps need to know of the run.

    Attributes:
        champion_version: the version that alias ``champion`` had when the run began, "" if none.
        run_key: identity of the run.
    """

    champion_version: str
    run_key: str


@step
def run(
    *,
    model: str,
    data: str,
    base_version: str,
    feedback_uri: str,
    until: str,
    data_dir: Path,
    run_id: str = "",
) -> LoadResult:
    """Write ``rows.parquet``, ``schema.json`` and ``profile.json``; on a retune ``base.json`` too.

    Args:
        model: name in the registry.
        data: the data section of the spec, as JSON.
        base_version: on a retune, the version that it starts from; else "".
        feedback_uri: on a retune, labelled production rows to append; else "".
        until: use only rows whose event is before this moment (ISO 8601); else "".
        data_dir: folder to write; it appears whole or not at all.
        run_id: the engine's identity of the run, which `release` knows too; the environment's wins.

    Returns:
        The champion's version, the same for the whole run even if it is resumed, and the run's key.

    Raises:
        InputError: bad input, the champion cannot score such rows, or a run of this model is in flight.
    """
    from minorkey.registry import check_bundle_root, version_to_beat

    spec = parse_section(DataSpec, data)
    run_key = settings().run_key or run_id or uuid.uuid4().hex
    lease.take(model, run_key, owner=settings().owner_lock)
    try:
        champion = version_to_beat(model, run_key)
        check_bundle_root()
        if base_version and base_version != champion:
            emit(
                "warned",
                text=f"the retune starts from version {base_version}, the champion is {champion or 'none'}",
            )
        loaded = _load(spec, feedback_uri, until)
        if champion:
            _check_champion(model, champion, loaded.dataset.schema)
        for text in loaded.assumptions:
            emit("assumed", text=text)
        _write(loaded, data_dir, _starts_from(model, base_version))
    except BaseException:
        lease.release(model, run_key)
        raise
    if not (settings().run_key or run_id):
        # Nobody else knows this run's key, so nobody else could release its lease.
        lease.release(model, run_key)
    return LoadResult(champion, run_key)


def _load(spec: DataSpec, feedback_uri: str, until: str) -> Loaded:
    table = read_source(spec)
    columns: list[str] = []
    if feedback_uri:
        table, columns = with_feedback(table, spec, feedback_uri)
    if until:
        table = rows_before(table, spec, until)
    loaded = build_dataset(table, spec)
    if feedback_uri:
        check_feedback(columns, loaded.dataset.schema, feedback_uri)
    return loaded


def _check_champion(model: str, version: str, schema: Schema) -> None:
    """Before any work: the champion that the run has to beat is whole and can score these rows."""
    from minorkey.registry import load_version

    champion = load_version(model, version)
    require_champion_features(
        champion.info.schema, schema, name=f"the champion, version {version} of {model},"
    )


def _starts_from(model: str, base_version: str) -> dict[str, Any] | None:
    """What `preprocess` has to know of the version that a retune starts from."""
    from minorkey.registry import load_version

    if not base_version:
        return None
    membership = load_version(model, base_version).info.membership
    return {"version": base_version, "trained_until": membership.get("train_end")}


def _write(loaded: Loaded, folder: Path, base: dict[str, Any] | None) -> None:
    aside = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        loaded.dataset.write(aside / "rows.parquet")
        loaded.dataset.schema.write(aside / "schema.json")
        (aside / "profile.json").write_text(json.dumps(loaded.profile, indent=1), encoding="utf-8")
        if base is not None:
            (aside / BASE).write_text(json.dumps(base), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        aside.replace(folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise StateError(
            "the data folder cannot be written",
            key=str(folder),
            value=error.strerror or error,
            remedy="make room, or choose another folder that can be written",
        ) from None
