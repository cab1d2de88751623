"""The tune step as a cluster runs it: trials in pods, study root in a bucket, books in PostgreSQL."""

import json
import os
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from minorkey import lease
from minorkey.bundle.bundle import Bundle
from minorkey.lease import EXPIRY_SECONDS
from minorkey.steps import tune
from minorkey.trials.study_root import open_root
from minorkey.trials.trial import TrialResult
from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.kinds import kind_of
from tests.search.test_driver import rows

SEARCH = {
    "trials": 2,
    "families": ["logistic_regression"],
    "resamplers": ["none"],
    "finalists": 1,
    "ensemble": 1,
    "pruner": "none",
    "interactions": False,
}
#: What reaches the bucket, as keys of a Secret.
KEYS = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


def specification(place: str) -> str:
    trials = {"slots": 1, "trials_per_pod": 20, "cpu": {"memory": "3Gi"}, "secrets": ["study-bucket"]}
    stores = {"study_root": place, "bundle_root": place, "tracking_uri": "http://mlflow.example"}
    content = {"namespace": "default", "image": "i:1", "stores": stores, "trials": trials}
    return json.dumps(content)


def furnish(cluster: FakeCluster) -> None:
    contents: dict[str, dict[str, Any]] = {
        "serviceaccounts": {"metadata": {"name": "minorkey-trial"}},
        "secrets": {
            "metadata": {"name": "study-bucket"},
            "stringData": {key: os.environ[key] for key in KEYS},
        },
    }
    for plural, content in contents.items():
        cluster.objects.create(kind_of(plural), "default", content)


class Untracked:
    """Stands for MLflow, which takes longer to make its tables than the study takes."""

    def trial_finished(self, result: TrialResult, *, study: str) -> None:
        return

    def log_dataset(self, *_: Any, **__: Any) -> None:
        return

    def flush(self) -> None:
        return


def test_a_study_in_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: str, database: str) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MINORKEY_DATABASE_URL", database)
    monkeypatch.delenv("MINORKEY_STUDY_ROOT", raising=False)
    monkeypatch.setattr(tune, "open_run", lambda model, run_key: Untracked())
    rows().write(tmp_path / "train")
    lease.take("m", "run-1")
    with psycopg.connect(database) as made:
        made.execute("UPDATE minorkey_leases SET heartbeat = heartbeat - %s", [EXPIRY_SECONDS / 2])
    with FakeCluster() as cluster:
        furnish(cluster)
        # The client has read KUBECONFIG when it was imported.
        place = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
        monkeypatch.setattr(place, str(cluster.kubeconfig))
        tune.run(
            model="m",
            search=json.dumps(SEARCH),
            monitor="{}",
            seed=1,
            run_key="run-1",
            train_dir=tmp_path / "train",
            bundle_dir=tmp_path / "bundle",
            baselines_dir=tmp_path / "baselines",
            study_path=tmp_path / "study.json",
            cluster=specification(s3),
        )
        assert cluster.jobs() == []
        assert cluster.calls["create", "jobs"] == 3
    holder = lease.holder("m")
    assert holder is not None and time.time() - holder.heartbeat < EXPIRY_SECONDS / 4
    study = json.loads((tmp_path / "study.json").read_text())
    assert study["counts"] == {"complete": 2, "pruned": 0, "failed": 0}
    assert Bundle.load(tmp_path / "bundle").info.lineage["run_key"] == "run-1"
    keys = open_root(f"{s3}/run-1").list("")
    assert "trials/final/0001/result.json" in keys
    assert not list(tmp_path.rglob("study.journal"))
