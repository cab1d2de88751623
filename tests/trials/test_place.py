import json
from pathlib import Path
from typing import Any

import pytest

from minorkey.errors import SpecError, StateError
from minorkey.trials.kubernetes.executor import KubernetesExecutor
from minorkey.trials.local import LocalExecutor
from minorkey.trials.place import open_place
from minorkey.trials.trial import Outcome
from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.kinds import kind_of
from tests.trials.executor_contract import call, only_end

DATABASE = "postgresql://somebody:secret@localhost:5432/minorkey"


def spec(**changes: Any) -> str:
    content = {
        "namespace": "default",
        "image": "registry.example/minorkey:1",
        "stores": {
            "study_root": "/study/runs",
            "bundle_root": "s3://bucket/bundles",
            "tracking_uri": "https://mlflow.example",
        },
        "trials": {"study_volume": "study", "slots": 2, "cpu": {"memory": "2Gi"}},
    }
    return json.dumps(content | changes)


def test_without_a_cluster_trials_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINORKEY_STUDY_ROOT", raising=False)
    with open_place("", "run", workers=1, folder=tmp_path / "study") as place:
        assert isinstance(place.executor, LocalExecutor) and not place.executor.remote
        assert place.root.location == str(tmp_path / "study")
        assert only_end(place.executor, call("echo", value=1)).outcome is Outcome.COMPLETE


def test_a_cluster_needs_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINORKEY_DATABASE_URL", raising=False)
    with pytest.raises(StateError) as caught, open_place(spec(), "run", workers=None, folder=tmp_path):
        pass
    assert "PostgreSQL" in caught.value.problem


def test_trial_pods_need_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_DATABASE_URL", DATABASE)
    monkeypatch.setenv("MINORKEY_STUDY_ROOT", str(tmp_path))
    wanted = spec(image=None)
    with pytest.raises(SpecError) as caught, open_place(wanted, "run", workers=None, folder=tmp_path):
        pass
    assert caught.value.key == "trials.image"


def test_with_a_cluster_trials_run_in_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = tmp_path / "volume"
    with FakeCluster(volumes={"study": volume}) as cluster:
        cluster.objects.create(
            kind_of("serviceaccounts"), "default", {"metadata": {"name": "minorkey-trial"}}
        )
        monkeypatch.setenv("MINORKEY_DATABASE_URL", DATABASE)
        # The client has read KUBECONFIG when it was imported.
        place_of = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
        monkeypatch.setattr(place_of, str(cluster.kubeconfig))
        # Where this process, outside the cluster, finds what pods find at /study/runs/run-1.
        monkeypatch.setenv("MINORKEY_STUDY_ROOT", str(volume / "runs" / "run-1"))
        with open_place(spec(), "run-1", workers=None, folder=tmp_path) as place:
            assert isinstance(place.executor, KubernetesExecutor) and place.executor.slots == 2
            assert only_end(place.executor, call("echo", value=1)).content["value"] == 1
        assert cluster.jobs() == []
