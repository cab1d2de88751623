"""Adjust: find the cheapest fix for a served model on fresh labelled rows, and prove it on later ones."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.aside import put_text
from minorkey.bundle.bundle import Bundle
from minorkey.bundle.recalibration import write_recalibrated
from minorkey.bundle.reference import reference_profile
from minorkey.bundle.reference_design import reference_design
from minorkey.bundle.reference_rates import better_rates, reference_rates
from minorkey.data.compatibility import require_champion_features
from minorkey.data.dataset import Dataset, Schema
from minorkey.data.membership import seen_in_training, with_adjustment
from minorkey.errors import DataError, StateError
from minorkey.evaluation.calibration import Calibration
from minorkey.evaluation.gate import spent_alpha
from minorkey.evaluation.ledger import open_ledger
from minorkey.evaluation.metrics import compute_metrics
from minorkey.evaluation.scoring import Scored, judged
from minorkey.progress import emit
from minorkey.registry import load_version
from minorkey.spec import EvaluateSpec, MonitorSpec, ThresholdSpec, parse_section
from minorkey.steps.step import step
from minorkey.tracking import open_run
from minorkey.tracking.verdicts import decision_tags
from minorkey.triage import Adjustment, Reference, Treatment, treat
from minorkey.triage.account import adjustment_card, adjustment_page

__all__ = ["run"]


@step
def run(
    *,
    model: str,
    evaluate: str,
    seed: int,
    run_key: str,
    champion_version: str,
    data_dir: Path,
    bundle_dir: Path,
    verdict_path: Path,
    report_path: Path,
    card_path: Path,
    study_path: Path,
) -> str:
    """Diagnose the champion on the earlier fresh rows, fit what it needs there, prove it on the later ones.

    Fresh are rows that the champion has not been trained or adjusted on.

    Args:
        model: name in the registry.
        evaluate: the evaluate section, as JSON.
        seed: seed of the bootstraps.
        run_key: identity of the run.
        champion_version: the version that serves.
        data_dir: what `load` wrote: rows with mature labels.
        bundle_dir: where the adjusted bundle is written, if there is one.
        verdict_path: where ``verdict.json`` is written.
        report_path: where the report is written.
        card_path: where the model card is written.
        study_path: where the account of the fit is written.

    Returns:
        "promote" if an adjustment is proven, else "keep"; the verdict's ``action`` says what is to be done.

    Raises:
        StateError: there is no champion, or the tracking server does not answer.
        DataError: no row is fresh, or features that the champion needs are absent.
    """
    spec = parse_section(EvaluateSpec, evaluate)
    champion = _champion(model, champion_version)
    data = _fresh_rows(data_dir, champion, f"the champion, version {champion_version} of {model},")
    served = (champion.info.calibration, champion.info.threshold)
    opening = 0

    def alpha(later: Dataset) -> float:
        nonlocal opening
        opening = open_ledger().open(later.rows_digest(), run_key)
        emit("phase", phase="judge", text=f"proving the fix on {len(later):,} later rows (opening {opening})")
        return spent_alpha(spec.gate.alpha, opening)

    emit("phase", phase="diagnose", text=f"diagnosing version {champion_version} on {len(data):,} fresh rows")
    reference, policy = _reference(champion, spec.confidence), _policy(champion)
    done = treat(
        data,
        champion.score(data.features)[0],
        served,
        reference,
        policy=policy,
        spec=spec,
        alpha=alpha,
        seed=seed,
    )
    fix, now = done.adjustment, done.shipped
    verdict = {
        "model": model,
        "run_key": run_key,
        "decision": done.decision,
        "reason": done.reason,
        "action": done.diagnosis.action,
        "evidence": None if done.evidence is None else done.evidence.to_json(),
        "reference": reference.to_json(),
        "adjustment": None if fix is None else {"slope": fix.slope, "intercept": fix.intercept},
        "proof": None if done.proof is None else done.proof.to_json(),
        "opening": opening,
        "confidence": spec.confidence,
        "split": "hash" if data.event_time is None else "time",
        "threshold": now[1],
        "champion_version": champion_version,
        "test": {"rows": len(done.later), "positives": done.later.positives, "digest": done.later.digest()},
        "metrics": {
            name: _judged(done, shipped, champion, spec, seed)
            for name, shipped in (("test", now), ("champion", served))
        },
    }
    if fix is not None:
        _write_bundle(bundle_dir, champion, done, fix, policy, verdict)
    curves = {"served": served[0].apply(done.raw[1]), "adjusted": now[0].apply(done.raw[1])}
    put_text(report_path, adjustment_page(verdict, done.later.y, curves, done.later.weight))
    put_text(card_path, adjustment_card(verdict))
    put_text(study_path, json.dumps(_study(champion, done, now, verdict, seed), indent=1))
    put_text(verdict_path, json.dumps(verdict, indent=1))
    _tell(model, run_key, verdict, (verdict_path, report_path, card_path, study_path))
    return done.decision


def _tell(model: str, run_key: str, verdict: dict[str, Any], files: Sequence[Path]) -> None:
    """Leave the verdict in MLflow: where nothing is registered, no other step would."""
    tracker = open_run(model, run_key)
    tracker.log(tags=decision_tags(verdict))
    if verdict["decision"] != "promote":
        for path in files:
            tracker.log_artifact(path)
        tracker.finish()


def _champion(model: str, version: str) -> Bundle:
    if not version:
        raise StateError(
            "there is no champion to adjust",
            key=f"{model}@champion",
            remedy="run `minorkey run` first, or check the model's name, MINORKEY_HOME and "
            "MLFLOW_TRACKING_URI",
        )
    return load_version(model, version)


def _fresh_rows(folder: Path, champion: Bundle, name: str) -> Dataset:
    data = Dataset.read(folder / "rows.parquet", Schema.read(folder / "schema.json"))
    schema, known = data.schema, champion.info.schema
    require_champion_features(known, schema, name=name)
    if (schema.target, schema.positive) != (known.target, known.positive):
        raise DataError(
            "the rows have another target or positive value than the champion",
            key="data.target",
            value=f"{schema.target}, positive {schema.positive}",
            allowed=f"{known.target}, positive {known.positive}",
            remedy="set data.target and data.positive",
        )
    fresh = ~seen_in_training(champion.info.membership, data)
    if not fresh.any():
        raise DataError(
            "no row is fresh",
            key="data.source",
            value=f"{len(data):,} rows, all of which the champion may have been trained or adjusted on",
            allowed="rows that came after the champion's training",
            remedy="give newer labelled rows, with the same event time and entity columns as in training",
        )
    return data.take(np.flatnonzero(fresh))


def _policy(champion: Bundle) -> ThresholdSpec:
    """How the champion's threshold was chosen; the new one is chosen in the same way."""
    told = champion.info.lineage.get("threshold_policy")
    if told is None:
        emit(
            "assumed",
            text="the champion does not tell how its threshold was chosen: search.threshold's default",
        )
    return ThresholdSpec.model_validate(told or {})


def _reference(champion: Bundle, confidence: float) -> Reference:
    lineage, shown = champion.info.lineage, champion.info.validation
    return Reference.of(
        int(lineage["rows"]),
        int(lineage["positives"]),
        float(shown["roc_auc"]),
        float(shown["average_precision"]),
        confidence=confidence,
    )


def _judged(
    done: Treatment, shipped: tuple[Calibration, float], champion: Bundle, spec: EvaluateSpec, seed: int
) -> dict[str, Any]:
    """Every metric on the later rows, with its interval."""
    raw, (calibration, threshold) = done.raw[1], shipped
    view = Scored(raw, calibration.apply(raw), np.full(len(raw), threshold))
    return judged(done.later, view, costs=champion.info.costs, spec=spec, seed=seed)


def _write_bundle(
    folder: Path,
    champion: Bundle,
    done: Treatment,
    fix: Adjustment,
    policy: ThresholdSpec,
    verdict: dict[str, Any],
) -> None:
    rows, info = done.earlier, champion.info
    adjusted = {
        "from_version": verdict["champion_version"],
        "from_digest": champion.digest,
        "action": verdict["action"],
        "slope": fix.slope,
        "intercept": fix.intercept,
        "rows": len(rows),
        "positives": rows.positives,
        "digest": rows.digest(),
        "until": None if rows.event_time is None else float(rows.event_time.max()),
        "run_key": verdict["run_key"],
    }
    write_recalibrated(
        champion.folder,
        folder,
        fix.calibration,
        fix.threshold,
        reference=_profile(champion, done, policy, verdict),
        membership=with_adjustment(info.membership, rows),
        lineage={**info.lineage, "adjusted": [*info.lineage.get("adjusted", []), adjusted]},
    )


def _profile(
    champion: Bundle, done: Treatment, policy: ThresholdSpec, verdict: dict[str, Any]
) -> dict[str, Any]:
    """What production is compared with from now on: the fresh rows, and the rates on the later of them.

    Where the threshold is the best one for the Matthews correlation, the champion's rates if they are better.
    """
    calibration, threshold = done.shipped
    both = (done.earlier, done.later)
    profile = reference_profile(
        pd.concat([part.features for part in both], ignore_index=True),
        np.concatenate([calibration.apply(raw) for raw in done.raw]),
        MonitorSpec.model_validate(champion.info.lineage.get("monitor", {})),
        weight=_joined(part.weight for part in both),
        times=_joined(part.event_time for part in both),
    )
    shown = {name: told["value"] for name, told in verdict["metrics"]["test"].items()}
    later = done.later
    swings = reference_design(
        later.y,
        calibration.apply(done.raw[1]),
        threshold,
        weight=later.weight,
        times=later.event_time,
        entity=later.entity,
    )
    # The ranking is the champion's, and its reference may be longer: what swung there is not forgotten.
    known = champion.info.reference.get("design", {})
    design = {name: max(effect, known.get(name, 1.0)) for name, effect in swings.items()}
    rates = reference_rates(later.y, later.weight, shown, design)
    if policy.policy == "max_mcc":
        rates = better_rates(rates, champion.info.reference.get("rates", {}))
    return {**profile, "rates": rates, "design": design}


def _joined(parts: Iterable[npt.NDArray[np.float64] | None]) -> npt.NDArray[np.float64] | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None


def _study(
    champion: Bundle,
    done: Treatment,
    shipped: tuple[Calibration, float],
    verdict: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    """The account of the fit, in the form that a search's account has."""
    rows, raw = done.earlier, done.raw[0]
    seen = {}
    if rows.positives:
        seen = compute_metrics(rows.y, raw, shipped[0].apply(raw), shipped[1], weight=rows.weight)
    return {
        "model": verdict["model"],
        "seed": seed,
        "run_key": verdict["run_key"],
        "configuration": {"members": champion.info.configuration, "ships": "adjustment"},
        "metrics": {"validation": seen},
        "threshold": shipped[1],
        "counts": {"complete": 0, "pruned": 0, "failed": 0},
        "trials": [],
        "versions": champion.info.lineage.get("versions", {}),
    }
