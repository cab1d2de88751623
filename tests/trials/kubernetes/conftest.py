import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.scheduler import Node
from tests.trials.kubernetes.stage import Stage

TAINTS = ({"key": "nvidia.com/gpu", "effect": "NoSchedule"},)
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def events(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    monkeypatch.setenv("MINORKEY_EVENTS", str(path))
    return path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeCluster]:
    """One cluster for a module, where each test has a namespace of its own."""
    nodes = (Node(), Node("gpu-1", gpus=2, labels={"accelerator": "small"}, taints=TAINTS))
    volumes = {"study": tmp_path_factory.mktemp("volume")}
    with FakeCluster(volumes=volumes, nodes=nodes, environment={"OMP_NUM_THREADS": "1"}) as running:
        yield running


@pytest.fixture
def stage(cluster: FakeCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(cluster, f"trials-{next(_numbers)}", tmp_path_factory.getbasetemp()) as prepared:
        yield prepared
