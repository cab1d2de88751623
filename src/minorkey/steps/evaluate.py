"""Evaluate: open the sealed test once, judge the challenger, and report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_curve

from minorkey.aside import put_text
from minorkey.bundle.bundle import Bundle
from minorkey.data.compatibility import require_champion_features
from minorkey.data.membership import seen_in_training
from minorkey.data.slices import check_slices
from minorkey.data.training_set import TestSet
from minorkey.errors import BundleError, ContractError
from minorkey.evaluation.gate import judge
from minorkey.evaluation.intervals import Interval
from minorkey.evaluation.ledger import open_ledger
from minorkey.evaluation.report import Content, model_card, render
from minorkey.evaluation.report.points import confusion, weighted_confusion
from minorkey.evaluation.scoring import CANDIDATE, Scored, judged, score_test
from minorkey.evaluation.slices import slice_metrics
from minorkey.progress import emit
from minorkey.registry import load_version
from minorkey.spec import EvaluateSpec, parse_section
from minorkey.steps.step import step

__all__ = ["run"]

#: Points of the ROC curve that the Kubeflow UI draws.
_ROC_POINTS = 200


@step
def run(
    *,
    model: str,
    evaluate: str,
    seed: int,
    run_key: str,
    champion_version: str,
    bundle_dir: Path,
    baselines_dir: Path,
    study_path: Path,
    test_dir: Path,
    verdict_path: Path,
    report_path: Path,
    card_path: Path,
) -> str:
    """Judge the challenger on the sealed test and write the verdict, the report and the model card.

    Args:
        model: name in the registry.
        evaluate: the evaluate section, as JSON.
        seed: seed of the bootstraps.
        run_key: identity of the run.
        champion_version: the version to beat, "" if there is none.
        bundle_dir: the challenger.
        baselines_dir: bundles that stand beside it, or under repeated cross-validation for it.
        study_path: the account of the study.
        test_dir: the sealed test.
        verdict_path: where ``verdict.json`` is written.
        report_path: where the report is written.
        card_path: where the model card is written.

    Returns:
        "promote" or "keep".
    """
    spec = parse_section(EvaluateSpec, evaluate)
    test = TestSet.read(test_dir)
    data = test.dataset
    check_slices(data.schema, spec.slices)
    challenger = Bundle.load(bundle_dir)
    _refuse_overlap(challenger, test)
    opening = open_ledger().open(data.rows_digest(), run_key)
    emit("phase", phase="judge", text=f"opening the sealed test ({len(data):,} rows, opening {opening})")

    scored = score_test(bundle_dir, baselines_dir, test)
    champion, comparable = _champion(model, champion_version, test)
    candidate = scored[CANDIDATE]
    verdict = judge(
        data.y,
        candidate.raw,
        None if champion is None else champion.raw,
        comparable=comparable,
        weight=data.weight,
        entity=data.entity,
        spec=spec.gate,
        confidence=spec.confidence,
        opening=opening,
        bootstraps=spec.bootstraps,
        seed=seed,
    )
    costs = challenger.info.costs

    def intervals(one: Scored, rows: npt.NDArray[np.bool_] | None = None) -> dict[str, Any]:
        part, view = (data, one) if rows is None else (data.take(rows), one.take(rows))
        return judged(part, view, costs=costs, spec=spec, seed=seed)

    profile = json.loads((test_dir / "profile.json").read_text(encoding="utf-8"))
    content = Content.of(
        data,
        candidate,
        verdict={
            "model": model,
            "run_key": run_key,
            "decision": verdict.decision,
            "reason": verdict.reason,
            "opening": verdict.opening,
            "alpha": verdict.alpha,
            "confidence": spec.confidence,
            "intervals_over": "rows"
            if data.entity is None
            else f"each {data.schema.roles.get('entity', 'entity')}",
            "split": test.kind,
            "threshold": challenger.info.threshold,
            "costs": costs,
            "champion_version": champion_version,
            "difference": _json(verdict.difference),
            "gate": verdict.to_json(),
            "test": {"rows": len(data), "positives": data.positives, "digest": data.digest()},
            "metrics": {
                "test": intervals(candidate),
                "champion": None if champion is None else intervals(champion, comparable),
                "baselines": {name: intervals(one) for name, one in scored.items() if name != CANDIDATE},
            },
            "slices": slice_metrics(data, candidate, spec.slices, confidence=spec.confidence, seed=seed),
        },
        study=json.loads(study_path.read_text(encoding="utf-8")),
        profile=profile,
        intended_use=spec.intended_use,
    )
    content.verdict["roc"] = _roc(content)
    content.verdict["confusion"] = confusion(content)
    if content.weighted:
        content.verdict["weighted_confusion"] = weighted_confusion(content)
    put_text(report_path, render(content))
    put_text(card_path, model_card(content))
    put_text(verdict_path, json.dumps(content.verdict, indent=1))
    return verdict.decision


def _refuse_overlap(challenger: Bundle, test: TestSet) -> None:
    """The challenger must not have trained on what it is judged on."""
    if test.outer is not None:
        return  # The outer bundles are judged, each on the fold that it was fitted without.
    seen = seen_in_training(challenger.info.membership, test.dataset)
    if seen.any():
        raise ContractError(
            f"{int(seen.sum())} of {len(seen)} test rows belong to the challenger's training set: "
            "nothing is judged"
        )


def _champion(model: str, version: str, test: TestSet) -> tuple[Scored | None, Any]:
    """The champion's scores and the rows that it has not trained on."""
    everything = np.ones(len(test.dataset), dtype=bool)
    if not version:
        return None, everything
    champion = load_version(model, version)
    require_champion_features(
        champion.info.schema, test.dataset.schema, name=f"the champion, version {version} of {model},"
    )
    try:
        raw, score = champion.score(test.dataset.features)
    except BundleError as error:
        raise BundleError(
            f"the champion, version {version} of {model}, cannot score the test: {error.problem}",
            remedy="roll back to a version whose bundle is whole, or give the new model a name of its own",
        ) from error
    scored = Scored(raw, score, np.full(len(raw), champion.info.threshold))
    return scored, ~seen_in_training(champion.info.membership, test.dataset)


def _roc(content: Content) -> dict[str, list[float]]:
    false_positive, true_positive, threshold = roc_curve(content.y, content.raw, sample_weight=content.weight)
    kept = np.unique(np.linspace(0, len(threshold) - 1, _ROC_POINTS).astype(int))
    # The curve begins at an infinite threshold, which JSON does not know.
    finite = np.where(np.isfinite(threshold), threshold, 1.0 + float(np.max(content.raw)))
    return {
        "fpr": false_positive[kept].tolist(),
        "tpr": true_positive[kept].tolist(),
        "threshold": finite[kept].tolist(),
    }


def _json(interval: Interval | None) -> dict[str, float | None] | None:
    return None if interval is None else interval.to_json()
