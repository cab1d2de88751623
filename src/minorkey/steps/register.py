"""Register: what was tuned and judged becomes a model version, whatever the verdict."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from minorkey.bundle.bundle import Bundle
from minorkey.errors import StateError
from minorkey.registry import register_version, store_bundle
from minorkey.serving.shadow_pointer import point_to_challenger
from minorkey.steps.step import step
from minorkey.tracking import RunTracker, open_run
from minorkey.tracking.verdicts import decision_tags

__all__ = ["RegisterResult", "run"]


class RegisterResult(NamedTuple):
    """What `deploy` needs to know."""

    model_version: str
    bundle_uri: str


@step
def run(
    *,
    model: str,
    run_key: str,
    bundle_dir: Path,
    verdict_path: Path,
    report_path: Path,
    card_path: Path,
    study_path: Path,
) -> RegisterResult:
    """Store the bundle, log metrics and reports, and write the model version as ``challenger``.

    Where this machine's predictor follows challengers, the version scores in its shadow from now on.

    Args:
        model: name of the registered model.
        run_key: identity of the pipeline run; with the bundle's digest it makes the step repeatable.
        bundle_dir: the bundle that `tune` wrote.
        verdict_path: ``verdict.json`` of `evaluate`.
        report_path: the HTML report.
        card_path: the model card.
        study_path: ``study.json``.

    Raises:
        BundleError: the bundle is altered or foreign.
        StateError: the tracking server or the bundle store does not answer.
    """
    bundle = Bundle.load(bundle_dir)
    verdict = _verdict(verdict_path)
    uri = store_bundle(bundle_dir, bundle.digest)
    tracker = open_run(model, run_key)
    tags = {
        "minorkey.decision": verdict["decision"],
        "minorkey.decision_reason": str(verdict["reason"])[:1000],
    }
    compared_with = str(verdict.get("champion_version", ""))
    version = register_version(model, run_key, bundle, uri, tracker, tags, compared_with=compared_with)
    point_to_challenger(model, version, uri)
    _log_run(tracker, bundle, verdict, version)
    for path in (verdict_path, report_path, card_path, study_path):
        tracker.log_artifact(path)
    tracker.finish()
    return RegisterResult(model_version=version, bundle_uri=uri)


def _log_run(tracker: RunTracker, bundle: Bundle, verdict: dict[str, Any], version: str) -> None:
    metrics: dict[str, float] = {"threshold": bundle.info.threshold}
    for name, interval in verdict["metrics"]["test"].items():
        metrics[f"test.{name}"] = _number(interval["value"])
        metrics[f"test.{name}.low"] = _number(interval["low"])
        metrics[f"test.{name}.high"] = _number(interval["high"])
    told = {"minorkey.digest": bundle.digest, "minorkey.model_version": version}
    tracker.log(metrics=metrics, tags=decision_tags(verdict) | told)


def _number(value: Any) -> float:
    """A number of the verdict; NaN, which the tracker leaves out, for one that could not be computed."""
    return float("nan") if value is None else float(value)


def _verdict(path: Path) -> dict[str, Any]:
    try:
        verdict: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StateError(
            f"the verdict cannot be read: {error}", key=str(path), remedy="run the evaluate step again"
        ) from None
    missing = {"decision", "reason", "metrics"} - set(verdict)
    if missing:
        raise StateError(
            "the verdict is incomplete",
            key=str(path),
            value=f"without {', '.join(sorted(missing))}",
            remedy="run the evaluate step again",
        )
    return verdict
