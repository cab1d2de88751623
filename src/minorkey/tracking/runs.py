"""What a pipeline run leaves in MLflow: one parent run, its trials as nested runs."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minorkey.settings import settings
from minorkey.tracking.client import client, reaching
from minorkey.trials.trial import Outcome, TrialResult

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["RunTracker", "open_run"]

_BATCH = 10
_STATUS = {Outcome.COMPLETE: "FINISHED", Outcome.PRUNED: "FINISHED", Outcome.EVICTED: "KILLED"}


def open_run(model: str, run_key: str) -> "RunTracker":
    """The parent run of a pipeline run: the one that carries ``run_key``, or a new one.

    Args:
        model: name of the MLflow experiment. MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID win.
        run_key: identity of the pipeline run, shared by its steps.

    Raises:
        StateError: the tracking server does not answer.
    """
    mlflow = client()
    with reaching():
        experiment = _experiment(mlflow, model)
        found = mlflow.search_runs(
            [experiment],
            filter_string=f"tags.`minorkey.run_key` = '{run_key}' and tags.`minorkey.kind` = 'run'",
            order_by=["start_time ASC"],
            max_results=1,
        )
        if found:
            run_id = found[0].info.run_id
            mlflow.update_run(run_id, status="RUNNING")
        else:
            run_id = _create_parent(mlflow, experiment, model, run_key)
    return RunTracker(mlflow, experiment, run_id)


class RunTracker:
    """What a pipeline run leaves in MLflow.

    Attributes:
        run_id: id of the parent run.
        experiment: id of the experiment.
    """

    def __init__(self, mlflow: "MlflowClient", experiment: str, run_id: str) -> None:
        self.run_id = run_id
        self.experiment = experiment
        self._client = mlflow
        self._waiting: dict[str, list[TrialResult]] = {}
        self._logged: set[tuple[str, int]] | None = None

    def trial_finished(self, result: TrialResult, *, study: str = "final") -> None:
        """Take one finished trial; it is written with the next batch of ten, or by `flush`."""
        waiting = self._waiting.setdefault(study, [])
        waiting.append(result)
        if len(waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the trials that still wait."""
        waiting, self._waiting = self._waiting, {}
        for study, results in waiting.items():
            self.log_trials(results, study=study)

    def log_trials(self, results: Sequence[TrialResult], *, study: str = "final") -> None:
        """Write finished trials as nested runs; one that is there already is not written again.

        Args:
            results: finished trials.
            study: the part of the training set that the study ran on.

        Raises:
            StateError: the tracking server does not answer.
        """
        with reaching():
            if self._logged is None:
                self._logged = self._trials_there()
            for result in results:
                if (study, result.number) not in self._logged:
                    self._log_trial(result, study)
                    self._logged.add((study, result.number))

    def log_dataset(
        self, name: str, digest: str, *, source: str, context: str = "training", profile: str = "{}"
    ) -> None:
        """Record which data the run saw.

        Args:
            name: name of the data set.
            digest: digest of its rows (`Dataset.digest`).
            source: where it came from.
            context: "training" or "test".
            profile: JSON text: rows, positives and the like.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        entity = Dataset(
            name=name,
            digest=digest[:36],
            source_type="minorkey",
            source=json.dumps({"uri": source}),
            profile=profile,
        )
        with reaching():
            tags = [InputTag("mlflow.data.context", context)]
            self._client.log_inputs(self.run_id, [DatasetInput(entity, tags)])

    def log(
        self,
        *,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> None:
        """Write metrics (the finite ones), parameters and tags of the parent run, in one call."""
        values = [(key, value, 0) for key, value in (metrics or {}).items()]
        with reaching():
            self._batch(self.run_id, values, params, tags)

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Copy one file into the parent run's artifacts."""
        with reaching():
            self._client.log_artifact(self.run_id, str(path), folder)

    def finish(self, *, failed: bool = False) -> None:
        """Write what waits and close the parent run."""
        self.flush()
        with reaching():
            self._client.set_terminated(self.run_id, status="FAILED" if failed else "FINISHED")

    def _log_trial(self, result: TrialResult, study: str) -> None:
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        end = int(time.time() * 1000)
        run = self._client.create_run(
            self.experiment,
            start_time=end - int(result.seconds * 1000),
            run_name=f"{study}-{result.number:04d}-{result.configuration.family}",
            tags={
                MLFLOW_PARENT_RUN_ID: self.run_id,
                "minorkey.kind": "trial",
                "minorkey.study": study,
                "minorkey.trial": str(result.number),
                "minorkey.outcome": str(result.outcome),
            },
        )
        run_id = run.info.run_id
        self._batch(run_id, _trial_metrics(result), _trial_params(result), {"error": result.error})
        self._client.set_terminated(run_id, status=_STATUS.get(result.outcome, "FAILED"), end_time=end)

    def _batch(
        self,
        run_id: str,
        metrics: Sequence[tuple[str, float, int]],
        params: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        self._client.log_batch(
            run_id,
            metrics=[
                Metric(key, float(value), now, step) for key, value, step in metrics if math.isfinite(value)
            ],
            params=[Param(key, str(value)[:6000]) for key, value in (params or {}).items()],
            tags=[RunTag(key, str(value)[:5000]) for key, value in (tags or {}).items() if str(value)],
        )

    def _trials_there(self) -> set[tuple[str, int]]:
        there: set[tuple[str, int]] = set()
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self.experiment],
                filter_string=f"tags.`mlflow.parentRunId` = '{self.run_id}' "
                "and tags.`minorkey.kind` = 'trial'",
                max_results=1000,
                page_token=token,
            )
            for run in page:
                there.add((run.data.tags["minorkey.study"], int(run.data.tags["minorkey.trial"])))
            token = page.token
            if not token:
                return there


def _trial_metrics(result: TrialResult) -> list[tuple[str, float, int]]:
    metrics = [("seconds", result.seconds, 0), ("cpu_seconds", result.cpu_seconds, 0)]
    if result.value is not None:
        metrics.append(("average_precision", result.value, 0))
    metrics += [("rung_value", value, rung) for rung, value in result.reported]
    metrics += [("fold_score", value, fold) for fold, value in enumerate(result.fold_scores)]
    return metrics


def _trial_params(result: TrialResult) -> dict[str, Any]:
    content = result.configuration.to_json()
    model, resampling = content.pop("model"), content.pop("resampling")
    content |= {f"model.{key}": value for key, value in model.items()}
    content |= {f"resampling.{key}": value for key, value in resampling.items()}
    return content


def _create_parent(mlflow: "MlflowClient", experiment: str, model: str, run_key: str) -> str:
    from mlflow.environment_variables import MLFLOW_RUN_ID
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    tags = {"minorkey.run_key": run_key, "minorkey.kind": "run", "minorkey.model": model}
    outer = MLFLOW_RUN_ID.get()
    if outer:
        # The platform manages a run of its own: ours goes below it.
        tags[MLFLOW_PARENT_RUN_ID] = outer
    run_id: str = mlflow.create_run(experiment, run_name=f"{model}-{run_key[:8]}", tags=tags).info.run_id
    return run_id


def _experiment(mlflow: "MlflowClient", model: str) -> str:
    """Id of the experiment, created where absent; safe when two processes do so at once."""
    from mlflow.environment_variables import MLFLOW_EXPERIMENT_ID, MLFLOW_EXPERIMENT_NAME
    from mlflow.exceptions import MlflowException

    given = MLFLOW_EXPERIMENT_ID.get()
    if given:
        return str(given)
    name = MLFLOW_EXPERIMENT_NAME.get() or model
    found = mlflow.get_experiment_by_name(name)
    if found is None:
        # A database has no artifact root of its own, and MLflow's default would be the working directory.
        local = settings().tracking_uri.startswith("sqlite:")
        location = (settings().home / "artifacts" / name).as_uri() if local else None
        try:
            return str(mlflow.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = mlflow.get_experiment_by_name(name)
    return str(found.experiment_id)
