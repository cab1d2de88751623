"""Tune: the study; then the choice on fresh folds, calibration, threshold, and the bundles."""

import functools
import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

from minorkey import lease
from minorkey.aside import put_text
from minorkey.bundle.bundle import BundleInfo, write_bundle
from minorkey.bundle.compose import compose
from minorkey.bundle.members import member_graph
from minorkey.bundle.reference import reference_profile
from minorkey.bundle.reference_rates import reference_rates
from minorkey.data.fold_store import FoldStore
from minorkey.data.preprocessing import Preprocessor
from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.evaluation.baselines import BASELINES, Prior
from minorkey.evaluation.calibration import Calibration
from minorkey.models.family import Encoding
from minorkey.progress import emit
from minorkey.registry import load_version
from minorkey.search.driver import fit_members
from minorkey.search.selection import FRESH, finalists
from minorkey.search.tuning import Tuned, time_shares, trial_shares, tune_part
from minorkey.search.warm_start import configurations_to_start_from, members_of, only_refit, runners_up
from minorkey.settings import settings
from minorkey.spec import MonitorSpec, SearchSpec, parse_section
from minorkey.steps.step import step
from minorkey.tracking import open_run
from minorkey.trials.place import Place, open_place
from minorkey.trials.trial import Configuration, Outcome

__all__ = ["run"]

_VERSIONS = (
    "minorkey",
    "numpy",
    "scikit-learn",
    "lightgbm",
    "xgboost-cpu",
    "torch",
    "optuna",
    "onnx",
    "onnxruntime",
)


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
    spec, known = _warm_started(spec, model, base_version)
    training = TrainingSet.read(train_dir)
    store = FoldStore(settings().home / "folds", settings().fold_store_bytes)
    tracker = open_run(model, run_key)
    if reason:
        tracker.log(tags={"minorkey.reason": reason})
    tracker.log_dataset(
        f"{model}-training",
        training.digest,
        source="",
        profile=json.dumps({"rows": len(training.dataset), "positives": training.dataset.positives}),
    )
    names = sorted((part.name for part in training.parts), key=lambda name: name == "final")
    shares = dict.fromkeys(names, len(known)) if spec.refit else trial_shares(spec.trials, names)
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
                enqueue=known if name == "final" or spec.refit else (),
                executor=place.executor,
            )
            info = _info(model, training, name, tuned, spec, watch, seed, run_key)
            judged = baselines_dir if name == "final" else baselines_dir / name
            write_bundle(bundle_dir if name == "final" else judged / "candidate", tuned.graph, info)
            _write_baselines(judged, training, name, spec, info, place, store, seed)
            study["parts"][name] = _account(tuned)
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
        "counts": _counts(study["trials"]),
        "versions": _versions(),
    }
    put_text(study_path, json.dumps(study, indent=1))


def _warm_started(spec: SearchSpec, model: str, base_version: str) -> tuple[SearchSpec, list[Configuration]]:
    """The search of a retune, and the configurations that it tries first."""
    if not base_version:
        if spec.refit:
            raise SpecError(
                "a refit needs a version whose configurations are fitted anew",
                key="base_version",
                value="",
                allowed="a version of the model",
                remedy="name it (--base-version), or leave out the mode refit",
            )
        return spec, []
    base = load_version(model, base_version).info
    if spec.refit:
        members = members_of(base)
        return only_refit(spec, members), members
    return spec, configurations_to_start_from(base)


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
        configuration=_configuration(tuned),
        reference=_reference(tuned, watch, seed),
        membership={**training.membership, "part": part},
        lineage={
            "run_key": run_key,
            "seed": seed,
            "training_digest": training.digest,
            "rows": len(data),
            "positives": data.positives,
            "versions": _versions(),
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
    """What production is compared with: bins, null quantiles and rates of the out-of-fold rows."""
    selected, data = tuned.selected, tuned.oof.data
    score = selected.calibration.apply(selected.raw)
    profile = reference_profile(data.features, score, watch, times=data.event_time, seed=seed)
    return profile | {"rates": reference_rates(data.y, data.weight, selected.validation)}


def _write_baselines(
    folder: Path,
    training: TrainingSet,
    part: str,
    spec: SearchSpec,
    info: BundleInfo,
    place: Place,
    store: FoldStore,
    seed: int,
) -> None:
    """Fit what the result is compared with: on the same rows, at the threshold anyone would use."""
    emit("phase", part=part, phase="baselines", text="fitting the baselines")
    members = fit_members(
        training,
        part,
        list(BASELINES.values()),
        spec,
        partition=FRESH,
        folds=[None],
        root=place.root,
        store=store,
        seed=seed,
        executor=place.executor,
    )
    rows = training.dataset.take(training.part(part).rows)
    share = float((rows.y * (1.0 if rows.weight is None else rows.weight)).sum())
    share /= len(rows) if rows.weight is None else float(rows.weight.sum())
    encoding = Encoding(scale=False, categorical="ordinal")
    preprocessor = Preprocessor.fit(rows.features, rows.schema, encoding, interactions=False)
    prior = member_graph(preprocessor, Prior(share, len(preprocessor.names)))
    graphs = {
        name: members[configuration.digest(), None].graph(place.root)
        for name, configuration in BASELINES.items()
    }
    for name, graph in {"prior": prior, **graphs}.items():
        configuration = BASELINES.get(name)
        plain = BundleInfo(
            **{
                **vars(info),
                "threshold": 0.5,
                "calibration": Calibration(kind="none", parameters={}),
                "configuration": [{"weight": 1.0, **configuration.to_json()}] if configuration else [],
                "validation": {},
            }
        )
        write_bundle(folder / name, compose([(graph, 1.0)], plain.calibration), plain)


def _configuration(tuned: Tuned) -> list[dict[str, Any]]:
    return [{"weight": share, **configuration.to_json()} for configuration, share in tuned.selected.members]


def _account(tuned: Tuned) -> dict[str, Any]:
    selected = tuned.selected
    return {
        "configuration": {"members": _configuration(tuned), "ships": "fold bag" if tuned.bag else "refit"},
        "validation": selected.validation,
        "validation_interval": selected.choice.cross_fitted_value.to_json(),
        "threshold": selected.threshold,
        "calibration": selected.calibration.to_json(),
        "choice": {"ensemble": selected.choice.ensemble, "reason": selected.choice.reason},
        "seconds": tuned.seconds,
    }


def _counts(trials: list[dict[str, Any]]) -> dict[str, int]:
    outcomes = [Outcome(trial["outcome"]) for trial in trials]
    complete, pruned = outcomes.count(Outcome.COMPLETE), outcomes.count(Outcome.PRUNED)
    return {"complete": complete, "pruned": pruned, "failed": len(outcomes) - complete - pruned}


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in _VERSIONS
    }
