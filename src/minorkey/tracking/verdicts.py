"""What a pipeline run decided, as its MLflow run tells it: to whoever did not run it."""

from collections.abc import Mapping
from typing import Any

from minorkey.tracking.client import client, reaching

__all__ = ["DECISION", "decision_tags", "told_by_run"]

DECISION, _REASON, _ACTION = "minorkey.decision", "minorkey.decision_reason", "minorkey.action"


def decision_tags(verdict: Mapping[str, Any]) -> dict[str, str]:
    """The tags by which a run tells its verdict; ``minorkey.action`` of an adjustment alone."""
    tags = {DECISION: str(verdict["decision"]), _REASON: str(verdict["reason"])}
    return tags | ({_ACTION: str(verdict["action"])} if verdict.get("action") else {})


def told_by_run(run_key: str) -> dict[str, str] | None:
    """``decision``, ``action`` and ``reason`` of a run, "" for what it does not tell; None for no decision.

    Every experiment is looked through: in which one a run lies, its own environment decides.

    Args:
        run_key: identity of the pipeline run; on Kubeflow Pipelines the run's id.

    Raises:
        StateError: the tracking server does not answer.
    """
    mlflow = client()
    with reaching():
        experiments, token = [], None
        while True:
            page = mlflow.search_experiments(max_results=1_000, page_token=token)
            experiments += [one.experiment_id for one in page]
            token = page.token
            if not token:
                break
        found = mlflow.search_runs(
            experiments,
            filter_string=f"tags.`minorkey.run_key` = '{run_key}' and tags.`minorkey.kind` = 'run'",
            order_by=["start_time ASC"],
            max_results=10,
        )
    for run in found:
        tags = run.data.tags
        if tags.get(DECISION):
            return {
                "decision": tags[DECISION],
                "action": tags.get(_ACTION, ""),
                "reason": tags.get(_REASON, ""),
            }
    return None
