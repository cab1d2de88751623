"""The suite for real clusters, as a user starts it: its plan, and its quick parts against the fake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kubernetes.fake import FakeCluster

ROOT = Path(__file__).parents[2]


def run(*arguments: str, kubeconfig: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "cluster", *arguments]
    environment = {**os.environ, "KUBECONFIG": kubeconfig}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_a_dry_run_lists_what_would_be_done_and_asks_no_cluster(tmp_path: Path) -> None:
    done = run("tests/cluster", "--dry-run", "--image=example:1", kubeconfig=str(tmp_path / "absent"))
    assert done.returncode == 0, done.stdout
    assert "no kubeconfig was found" in done.stdout and "image = example:1" in done.stdout
    assert "a study survives the death of its driver and evictions" in done.stdout
    assert "a job runs its pod and completes" in done.stdout


@pytest.fixture(scope="module")
def cluster() -> FakeCluster:
    with FakeCluster(tls=True) as cluster:
        yield cluster


def test_apply_and_rights_hold_and_nothing_is_left(cluster: FakeCluster) -> None:
    files = [f"tests/cluster/test_{name}.py" for name in ("apply", "overlays", "rights", "study")]
    done = run(*files, "--image=example:1", "--wait=60", "-rs", kubeconfig=str(cluster.kubeconfig))
    assert done.returncode == 0, done.stdout
    assert "9 passed, 19 skipped" in done.stdout and "this cluster is a fake" in done.stdout
    assert "no study root was named: STUDY_ROOT=" in done.stdout
    assert "PrometheusRule minorkey-alerts is not applied: the cluster does not know" in done.stdout
    assert "ClusterQueue minorkey-prod-trials is not applied" in done.stdout
    assert [name for name in cluster.namespaces() if name.startswith("minorkey-test-")] == []
