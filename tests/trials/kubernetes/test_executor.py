import pytest

from minorkey.trials.kubernetes.executor import KubernetesExecutor
from tests.trials.executor_contract import ExecutorContract
from tests.trials.kubernetes.stage import Stage


class TestOneTaskAPod(ExecutorContract):
    @pytest.fixture
    def executor(self, stage: Stage) -> KubernetesExecutor:
        return stage.executor()


class TestSeveralTasksAPod(ExecutorContract):
    @pytest.fixture
    def executor(self, stage: Stage) -> KubernetesExecutor:
        return stage.executor(trials_per_pod=4)
