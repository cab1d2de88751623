"""The load step as a component."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def load(
    data: Output[Dataset],
    model: str,
    data_section: str,
    base_version: str,
    feedback_uri: str,
    until: str,
    run_id: str,
) -> NamedTuple("Loaded", [("champion_version", str), ("run_key", str)]):  # type: ignore[valid-type]
    """Read the rows, check them against the schema, profile them and look up the champion.

    Args:
        data: folder of rows.parquet, schema.json and profile.json.
        model: name in the registry.
        data_section: the specification's data section, as JSON.
        base_version: on a retune, the version whose rows are extended; else empty.
        feedback_uri: on a retune, where labelled production rows are; else empty.
        until: on a retune, the last event time that is read; else empty.
        run_id: the engine's identity of this run.

    Returns:
        champion_version: the version that serves now, empty if none.
        run_key: identity of this run.
    """
    from pathlib import Path

    from minorkey.steps import load as step

    loaded = step.run(
        model=model,
        data=data_section,
        base_version=base_version,
        feedback_uri=feedback_uri,
        until=until,
        data_dir=Path(data.path),
        run_id=run_id,
    )
    return loaded.champion_version, loaded.run_key
