"""Retunes as runs on Kubeflow Pipelines, found again by their display name."""

from pathlib import Path
from typing import Any

from minorkey.cli.run import entry_point, resolve_spec
from minorkey.feedback.upload import export_to
from minorkey.lease.holder import in_flight_problem
from minorkey.retune.launcher import Launch, Seen
from minorkey.retune.spec import KubeflowSpec, ModelSpec

__all__ = ["KubeflowRuns"]


class KubeflowRuns:
    """Runs on one server.

    The server has no notion of "create unless it is there". A launch that was cut short is therefore looked
    for by its name first; a trigger takes over another one's launch only after `claim_seconds`, when no
    request of that one can still be under way.

    Args:
        server: where.
        models: how each model is retuned.
        feedback: file of the feedback service's specification; "": there are no labels of production.
    """

    def __init__(self, server: KubeflowSpec, models: dict[str, ModelSpec], feedback: str = "") -> None:
        self._wanted, self._models, self._feedback = server, models, feedback

    def launch(self, launch: Launch) -> str:
        """Find the run of this key, or submit it."""
        server = self._server()
        found = entry_point("runs")(server, name=launch.key)
        if found:
            return str(found[0].id)
        model, wanted = self._models[launch.model], self._wanted
        settings = [f"model={launch.model}", *model.settings]
        spec, _ = resolve_spec(Path(model.spec), flags={}, settings=settings, keep=[])
        run = entry_point("submit")(
            spec,
            server,
            experiment=wanted.experiment,
            pipeline=wanted.pipeline,
            version=wanted.pipeline_version,
            service_account=wanted.service_account,
            reason=f"{launch.kind}: {launch.reason}",
            name=launch.key,
            parameters=self._parameters(launch),
        )
        return str(run.id)

    def look(self, run_id: str) -> Seen:
        """How a run is, by the server's word."""
        (run,) = entry_point("runs")(self._server(), run_id=run_id)
        if run.state == "SUCCEEDED":
            return Seen("succeeded")
        if run.state not in ("FAILED", "CANCELED", "SKIPPED"):
            return Seen("running")
        told = "; ".join(run.failures)
        model = next((name for name in self._models if in_flight_problem(name) in told), None)
        if model is not None:
            return Seen("busy", "another run of the model was in flight")
        if run.state == "CANCELED":
            return Seen("cancelled", "cancelled in Kubeflow Pipelines")
        return Seen("failed", f"{run.state.lower()} {told}".strip()[:500])

    def _parameters(self, launch: Launch) -> dict[str, str]:
        """What the champion was, and where the labelled rows of production are."""
        told = {"base_version": launch.base_version}
        if self._feedback and self._wanted.feedback_root:
            told["feedback_uri"] = export_to(
                f"{self._wanted.feedback_root.rstrip('/')}/{launch.key}.parquet", launch.model, self._feedback
            )
        return {name: text for name, text in told.items() if text}

    def _server(self) -> Any:
        wanted = self._wanted
        return entry_point("server")(
            wanted.host,
            wanted.namespace,
            Path(wanted.token_file) if wanted.token_file else None,
            Path(wanted.ca_file) if wanted.ca_file else None,
        )
