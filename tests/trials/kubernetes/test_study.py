"""Whole studies in pods."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minorkey.data.fold_store import FoldStore
from minorkey.data.training_set import TrainingSet
from minorkey.search.driver import fit_members, run_study
from minorkey.spec import SearchSpec
from minorkey.trials.executor import Executor
from minorkey.trials.local import LocalExecutor
from minorkey.trials.study_root import LocalStudyRoot, StudyRoot
from minorkey.trials.trial import TrialResult
from tests.search.test_driver import rows
from tests.trials.kubernetes.stage import Stage, eventually

TRIALS = 4
SPEC = SearchSpec(
    trials=TRIALS,
    workers=2,
    families=("logistic_regression",),
    resamplers=("none",),
    interactions=False,
    reproducible=True,
)


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    return rows()


def study(training: TrainingSet, root: StudyRoot, folds: Path, executor: Executor) -> tuple[TrialResult, ...]:
    return run_study(
        training,
        "final",
        SPEC,
        root=root,
        store=FoldStore(folds, 10**9),
        seed=3,
        trials=TRIALS,
        on_result=lambda result: None,
        executor=executor,
    ).results


def essence(results: tuple[TrialResult, ...]) -> list[object]:
    """Everything about results but how long they took."""
    keys = ("number", "configuration", "outcome", "value", "reported", "fold_scores", "error")
    return [tuple(getattr(result, key) for key in keys) for result in results]


def test_a_study_in_pods_gives_what_it_gives_here(
    training: TrainingSet, stage: Stage, tmp_path: Path
) -> None:
    with LocalExecutor(2) as local:
        here = study(training, LocalStudyRoot(tmp_path / "here"), tmp_path / "folds", local)
    pods = stage.executor("study", trials_per_pod=2)
    there = study(training, stage.root("study"), tmp_path / "unused", pods)
    assert essence(there) == essence(here)
    assert len(stage.asked()) <= TRIALS / 2 + 1
    best = there[0].configuration
    members = fit_members(
        training,
        "final",
        [best],
        SPEC,
        partition=1,
        folds=[0, None],
        root=stage.root("study"),
        store=FoldStore(tmp_path / "unused", 10**9),
        seed=0,
        executor=pods,
    )
    assert set(members) == {(best.digest(), 0), (best.digest(), None)}
    assert members[best.digest(), 0].graph(stage.root("study")).graph.output
    assert not (tmp_path / "unused").exists()
    assert stage.jobs() == []


DRIVER = """
import sys
from pathlib import Path
from minorkey.cluster.spec import Profile, TrialPods
from minorkey.trials.kubernetes.api import KubernetesApi
from minorkey.trials.kubernetes.executor import KubernetesExecutor
from minorkey.trials.study_root import LocalStudyRoot
from tests.search.studies import run_loop
from tests.trials.kubernetes.stage import TIMING
kubeconfig, folder, pod_root, namespace = sys.argv[1:]
pods = TrialPods(slots=3, study_volume="study", cpu=Profile(memory="2Gi"))
executor = KubernetesExecutor(
    LocalStudyRoot(Path(folder)), pods, "study", namespace, "registry.example/minorkey:1",
    KubernetesApi(kubeconfig), pod_root=pod_root, timing=TIMING,
)
with executor:
    done = run_loop(Path(folder), executor, trials=8, rungs=2, seconds=0.2)
print(len(done.results), flush=True)
"""


def test_a_driver_that_is_killed_goes_on_where_it_was(stage: Stage) -> None:
    folder = stage.root("study").path
    words = [str(stage.cluster.kubeconfig), str(folder), f"/study/{stage.namespace}/study", stage.namespace]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", DRIVER, *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)

    def results() -> int:
        return len(list(folder.glob("trials/final/*/result.json")))

    driver = start()
    try:
        eventually(lambda: results() >= 3, 120)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
    driver = start()
    output, _ = driver.communicate(timeout=120)
    assert output.strip() == b"8" and driver.returncode == 0
    assert results() == len(stage.asked()) == 8
    assert stage.jobs() == []
