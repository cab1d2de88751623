"""The tune step as a component."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def tune(
    train: Input[Dataset],
    bundle: Output[Model],
    baselines: Output[Model],
    study: Output[Artifact],
    model: str,
    search_section: str,
    monitor_section: str,
    seed: int,
    run_key: str,
    cluster: str,
    reason: str,
    base_version: str,
):
    """Run the study on the training folds; then refit, calibrate, choose the threshold and export.

    Args:
        train: the training rows and their folds.
        bundle: what ships.
        baselines: bundles that are only judged.
        study: study.json, the account of every trial.
        model: name in the registry.
        search_section: the specification's search section, as JSON.
        monitor_section: the specification's monitor section, as JSON.
        seed: seed of everything random.
        run_key: identity of this run; an interrupted run with the same key is resumed.
        cluster: the ClusterSpec that was compiled in, as JSON; empty: trials run on this machine.
        reason: why the run was started; it becomes a tag of the run in MLflow.
        base_version: on a retune, the version whose configurations are tried first; else empty.
    """
    from pathlib import Path

    from minorkey.steps import tune as step

    step.run(
        model=model,
        search=search_section,
        monitor=monitor_section,
        seed=seed,
        run_key=run_key,
        cluster=cluster,
        reason=reason,
        base_version=base_version,
        train_dir=Path(train.path),
        bundle_dir=Path(bundle.path),
        baselines_dir=Path(baselines.path),
        study_path=Path(study.path),
    )
