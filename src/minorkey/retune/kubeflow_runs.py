"""Retunes as runs on Kubeflow Pipelines, one for each stage, found again by their display names."""

from pathlib import Path
from typing import Any

from minorkey.cli.run import entry_point, resolve_spec
from minorkey.errors import StateError
from minorkey.feedback.upload import export_to
from minorkey.lease.holder import in_flight_problem
from minorkey.retune.launcher import Launch, Seen
from minorkey.retune.spec import KubeflowSpec, ModelSpec
from minorkey.retune.stages import (
    STAGES,
    Verdict,
    first_stage,
    next_stage,
    outcome_of,
    pipeline_of,
    stage_spec,
)
from minorkey.tracking.verdicts import told_by_run

__all__ = ["KubeflowRuns"]

_NOT_FOUND = 404
_ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")


class KubeflowRuns:
    """Runs on one server.

    A retune is a chain of runs named ``KEY-adjust``, ``KEY-refit`` and ``KEY-search``; the next is made when
    the verdict of the one before asks for it. The server has no notion of "create unless it is there". A
    launch that was cut short is therefore looked for by its name first; a trigger takes over another one's
    launch only after `claim_seconds`, when no request of that one can still be under way.

    Args:
        server: where.
        models: how each model is retuned.
        feedback: file of the feedback service's specification; "": there are no labels of production.
    """

    def __init__(self, server: KubeflowSpec, models: dict[str, ModelSpec], feedback: str = "") -> None:
        self._wanted, self._models, self._feedback = server, models, feedback

    def launch(self, launch: Launch) -> str:
        """Find the run of the stage that this key is at, or submit it."""
        stage, run = self._newest(launch.key)
        if run is None:
            labelled = self._export(launch)
            # An export may outlast the claim of this launch: then another trigger has submitted the run.
            _, run = self._newest(launch.key)
            if run is not None:
                return str(run.id)
            stage = first_stage(labelled=bool(labelled), base_version=launch.base_version)
            return self._submit(launch, stage, labelled)
        following = next_stage(stage, self._verdict(run)) if run.state == "SUCCEEDED" else ""
        if following:
            # Only labelled rows lead to a stage that another one follows, and they lie where they were put.
            return self._submit(launch, following, self._place_of_labels(launch))
        return str(run.id)

    def look(self, run_id: str) -> Seen:
        """How a run is, by the server's word, and what it decided, by MLflow's."""
        server = self._server()
        try:
            (run,) = entry_point("runs")(server, run_id=run_id)
        except StateError as error:
            if getattr(error, "status", 0) != _NOT_FOUND:
                raise
            entry_point("runs")(server, limit=1)  # raises where it is the address that leads nowhere
            return Seen("failed", f"somebody has deleted run {run_id} in Kubeflow Pipelines")
        if run.state == "SUCCEEDED":
            return self._succeeded(run)
        if run.state not in _ENDED:
            return Seen("running", f"{_stage_of(run.name)}: {run.state.lower()}")
        told = "; ".join(run.failures)
        model = next((name for name in self._models if in_flight_problem(name) in told), None)
        if model is not None:
            return Seen("busy", "another run of the model was in flight")
        if run.state == "CANCELED":
            return Seen("cancelled", "cancelled in Kubeflow Pipelines")
        return Seen("failed", f"{_stage_of(run.name)}: {run.state.lower()} {told}".strip()[:500])

    def cancel(self, launch: Launch, run_id: str, why: str) -> None:
        """Have the server terminate the run of the stage that this key is at."""
        _, run = self._newest(launch.key)
        if run is not None and run.state not in (*_ENDED, "CANCELING"):
            entry_point("terminate")(self._server(), run.id)

    def forget(self, key: str) -> None:
        """Nothing: what a run leaves is the server's, which has a time of its own to keep it."""

    def _newest(self, key: str) -> tuple[str, Any]:
        """The last stage of a key that has a run, and that run; None if there is none."""
        server = self._server()
        for stage in reversed(STAGES):
            found = entry_point("runs")(server, name=f"{key}-{stage}")
            if found:
                return stage, found[0]
        return "", None

    def _submit(self, launch: Launch, stage: str, labelled: str) -> str:
        model, wanted = self._models[launch.model], self._wanted
        settings = [f"model={launch.model}", *model.settings]
        spec, _ = resolve_spec(Path(model.spec), flags={}, settings=settings, keep=[])
        adjusts = pipeline_of(stage) == "adjust"
        given = {"base_version": launch.base_version, "feedback_uri": labelled}
        run = entry_point("submit")(
            stage_spec(stage, spec, labelled),
            self._server(),
            experiment=wanted.experiment,
            pipeline=wanted.adjust_pipeline if adjusts else wanted.pipeline,
            version=wanted.adjust_pipeline_version if adjusts else wanted.pipeline_version,
            service_account=wanted.service_account,
            reason=f"{launch.kind}: {launch.reason}",
            name=f"{launch.key}-{stage}",
            parameters={"data": labelled}
            if adjusts
            else {name: text for name, text in given.items() if text},
        )
        return str(run.id)

    def _succeeded(self, run: Any) -> Seen:
        stage = _stage_of(run.name)
        try:
            verdict = self._verdict(run)
        except StateError as error:
            if error.key != run.id:
                raise
            return Seen("failed", error.problem)
        text = " ".join(f"{stage}: {verdict.decision}. {verdict.reason}".split())[:300]
        following = next_stage(stage, verdict)
        if following:
            return Seen("next", f"{text}; next: {following}")
        return Seen("succeeded", text, outcome_of(stage, verdict))

    def _verdict(self, run: Any) -> Verdict:
        told = told_by_run(str(run.id))
        if told is None:
            raise StateError(
                "the run succeeded and left no verdict in MLflow",
                key=str(run.id),
                allowed="tag minorkey.decision of the run with this minorkey.run_key",
                remedy="let the trigger and the runs use one MLflow (MLFLOW_TRACKING_URI), and runs of this "
                "version of minorkey",
            )
        return Verdict(**told)

    def _export(self, launch: Launch) -> str:
        """Put the labelled rows of production where runs can read them; "" where there are none."""
        if not (self._feedback and self._wanted.feedback_root):
            return ""
        return export_to(self._place_of_labels(launch), launch.model, self._feedback)

    def _place_of_labels(self, launch: Launch) -> str:
        return f"{self._wanted.feedback_root.rstrip('/')}/{launch.key}.parquet"

    def _server(self) -> Any:
        wanted = self._wanted
        return entry_point("server")(
            wanted.host,
            wanted.namespace,
            Path(wanted.token_file) if wanted.token_file else None,
            Path(wanted.ca_file) if wanted.ca_file else None,
        )


def _stage_of(name: str) -> str:
    return name.rpartition("-")[2]
