"""Tune: the study; then the choice on fresh folds, calibration, threshold, and the bundles."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np

from minorkey import lease
from minorkey.aside import put_text
from minorkey.bundle.bundle import BundleInfo, write_bundle
from minorkey.bundle.reference import reference_profile
from minorkey.bundle.reference_design import reference_design
from minorkey.bundle.reference_rates import reference_rates
from minorkey.data.fold_store import FoldStore
from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.progress import emit
from minorkey.registry import load_version
from minorkey.search.account import configuration_of, counts_of, part_account, versions
from minorkey.search.baselines import write_baselines
from minorkey.search.recency_building import stated_recency
from minorkey.search.selection import finalists
from minorkey.search.tuning import Tuned, time_shares, trial_shares, tune_part
from minorkey.search.warm_start import WarmStart, only_refit, runners_up
from minorkey.settings import settings
from minorkey.spec import MonitorSpec, SearchSpec, parse_section
from minorkey.steps.step import step
from minorkey.tracking import open_run
from minorkey.trials.place import open_place

__all__ = ["run"]


@step
def run(
    *,
    model: str,
    search: str,
    monitor: str,
    seed: int,
    run_key: str,
    train_dir: Path,
    bundle_dir: Path,
    baselines_dir: Path,
    study_path: Path,
    cluster: str = "",
    reason: str = "",
    base_version: str = "",
) -> None:
    """Tune every part of the training set and write the bundles and ``study.json``.

    Args:
        model: name in the registry.
        search: the search section, as JSON.
        monitor: the monitor section, as JSON.
        seed: seed of everything random.
        run_key: identity of the run; an interrupted run with the same key is resumed.
        train_dir: what `preprocess` wrote for training.
        bundle_dir: where the bundle that ships is written.
        baselines_dir: where bundles are written that are only judged: the baselines, and under
            repeated cross-validation those of each outer part.
        study_path: where the account of the study is written.
        cluster: the ClusterSpec that was compiled in, as JSON; "": trials run on this machine.
        reason: why the run was started, "" if nobody said.
        base_version: on a retune, the version whose configurations are tried first; else "".
    """
    spec, watch = parse_section(SearchSpec, search), parse_section(MonitorSpec, monitor)
    training = TrainingSet.read(train_dir)
    spec, start = _warm_started(spec, training, model, base_version)
    store = FoldStore(settings().home / "folds", settings().fold_store_bytes)
    tracker = open_run(model, run_key)
    if reason:
        tracker.log(tags={"minorkey.reason": reason})
    tracker.log_dataset(
        f"{model}-training",
        training.digest,
        source=training.source,
        profile=json.dumps({"rows": len(training.dataset), "positives": training.dataset.positives}),
    )
    names = sorted((part.name for part in training.parts), key=lambda name: name == "final")
    shares = dict.fromkeys(names, spec.trials) if spec.refit else trial_shares(spec.trials, names)
    if sum(shares.values()) > spec.trials and not spec.refit:
        emit(
            "warned",
            text=f"search.trials {spec.trials} is below one per part: {sum(shares.values())} are run",
        )

    seconds = time_shares(spec.timeout, shares)
    study: dict[str, Any] = {"parts": {}, "trials": []}
    folder = study_path.parent / "study"
    with (
        lease.renewed(model, run_key),
        open_place(cluster, run_key, workers=spec.workers, folder=folder) as place,
    ):
        for name in names:
            tuned = tune_part(
                training,
                name,
                spec.model_copy(update={"timeout": seconds[name]}),
                trials=shares[name],
                root=place.root,
                store=store,
                seed=seed,
                on_result=functools.partial(tracker.trial_finished, study=name),
                # An outer part judges the procedure: what was chosen on its test rows must not help it. A
                # refit chooses nothing: what it fits comes from earlier rows.
                enqueue=start.configurations if name == "final" or spec.refit else (),
                recency=start.recency,
                executor=place.executor,
            )
            info = _info(model, training, name, tuned, spec, watch, seed, run_key)
            judged = baselines_dir if name == "final" else baselines_dir / name
            write_bundle(bundle_dir if name == "final" else judged / "candidate", tuned.graph, info)
            write_baselines(judged, training, name, spec, info, place, store, seed)
            study["parts"][name] = part_account(tuned)
            study["trials"] += [{"part": name, **result.to_json()} for result in tuned.results]
    tracker.flush()
    final = study["parts"]["final"]
    study |= {
        "model": model,
        "seed": seed,
        "run_key": run_key,
        "configuration": final["configuration"],
        "metrics": {"validation": final["validation"]},
        "threshold": final["threshold"],
        "counts": counts_of(study["trials"]),
        "versions": versions(),
    }
    put_text(study_path, json.dumps(study, indent=1))


def _warm_started(
    spec: SearchSpec, training: TrainingSet, model: str, base_version: str
) -> tuple[SearchSpec, WarmStart]:
    """The search of a run, and what it begins with."""
    if base_version:
        base = load_version(model, base_version).info
        start = WarmStart.of(base, training, spec)
        return (only_refit(spec, start.configurations) if spec.refit else spec), start
    if spec.refit:
        raise SpecError(
            "a refit needs a version whose configurations are fitted anew",
            key="base_version",
            value="",
            allowed="a version of the model",
            remedy="name it (--base-version), or leave out the mode refit",
        )
    return spec, WarmStart((), stated_recency(training, spec))


def _info(
    model: str,
    training: TrainingSet,
    part: str,
    tuned: Tuned,
    spec: SearchSpec,
    watch: MonitorSpec,
    seed: int,
    run_key: str,
) -> BundleInfo:
    selected = tuned.selected
    data = training.dataset
    return BundleInfo(
        model=model,
        schema=data.schema,
        threshold=selected.threshold,
        calibration=selected.calibration,
        configuration=configuration_of(tuned),
        reference=_reference(tuned, watch, seed),
        membership={**training.membership, "part": part},
        lineage={
            "run_key": run_key,
            "seed": seed,
            "training_digest": training.digest,
            "rows": len(data),
            "positives": data.positives,
            "versions": versions(),
            "label_horizon": watch.label_horizon,
            "threshold_policy": spec.threshold.model_dump(mode="json"),
            "monitor": watch.model_dump(mode="json"),
            **runners_up(finalists(tuned.results, spec.finalists)),
        },
        validation=selected.validation,
        costs={
            "false_negative": spec.threshold.false_negative_cost,
            "false_positive": spec.threshold.false_positive_cost,
        },
    )


def _reference(tuned: Tuned, watch: MonitorSpec, seed: int) -> dict[str, Any]:
    """What production is compared with: out-of-fold rows by bin, their rates, and how much both swing."""
    selected, data = tuned.selected, tuned.oof.data
    score = selected.calibration.apply(selected.raw)
    profile = reference_profile(
        data.features, score, watch, weight=data.weight, times=data.event_time, seed=seed
    )
    # Blocks whose models knew few rows differ for that alone.
    kindred = np.flatnonzero(tuned.oof.kindred)
    alike = data.take(kindred)
    design = reference_design(
        alike.y,
        score[kindred],
        selected.threshold,
        weight=alike.weight,
        times=alike.event_time,
        entity=alike.entity,
    )
    rates = reference_rates(data.y, data.weight, selected.validation, design)
    return profile | {"rates": rates, "design": design}
