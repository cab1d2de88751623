"""SIGTERM: every program of the images ends well within a pod's 30 seconds, and a trial says why."""

import time
from pathlib import Path

import pytest
import yaml

from minorkey.trials.executor import Ended, Event, Reported, Task
from minorkey.trials.kubernetes.channel import Channel, Slot
from minorkey.trials.study_root import open_root
from minorkey.trials.trial import Outcome
from tests.containers.podman import PIPELINE, shared, started

pytestmark = [pytest.mark.container, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
GRACE = 30
SIGTERM_STATUS = 128 + 15
HANGING_STEP = """
from kfp import dsl

def hang():
    import time
    print("the step is under way", flush=True)
    time.sleep(600)
"""


def step_command() -> list[str]:
    """How Kubeflow starts a step, as compiled, with a program of ours in the place of the step's."""
    platform = next(yaml.safe_load_all((ROOT / "pipelines/compiled/tune.yaml").read_text()))
    container = platform["deploymentSpec"]["executors"]["exec-load"]["container"]
    inputs = '{"inputs": {}, "outputs": {"outputFile": "/tmp/outputs.json"}}'
    arguments = ["--executor_input", inputs, "--function_to_execute", "hang"]
    return [*container["command"][:-1], HANGING_STEP, *arguments]


def test_a_step_under_kubeflows_shell_ends():
    with started(PIPELINE, *step_command()) as container:
        container.await_line("the step is under way")
        status, taken = container.stop(grace=GRACE)
    assert status == SIGTERM_STATUS
    assert taken < GRACE / 2


def test_the_command_line_ends_where_it_is_the_first_process():
    options = ["--entrypoint=minorkey", "--env=MINORKEY_HOME=/tmp/home"]
    with started(PIPELINE, "run", "--out", "/tmp/run", options=options) as container:
        container.await_line("load")
        status, taken = container.stop(grace=GRACE)
    assert status == SIGTERM_STATUS
    assert taken < GRACE / 2


def test_a_trial_pod_runs_its_tasks_and_reports_an_eviction(tmp_path):
    root = shared(tmp_path / "study")
    channel = Channel(open_root(str(root)))
    first, second = (Slot("mk-contained-0", number, "0" * 16, 0) for number in (1, 2))
    channel.beat(time.time())
    channel.assign(first, Task("first", "executor_tasks:echo", {"value": "there"}))
    channel.assign(second, Task("second", "executor_tasks:climb", {"values": [0.5, 0.25]}))
    for folder in root.rglob("*"):
        folder.chmod(0o777)
    program = ["python", "-m", "minorkey.trials.kubernetes.pod", "--job", first.job, "--tasks", "2"]
    tasks = ROOT / "tests/trials/executor_tasks.py"
    options = ["--env=PYTHONPATH=/given", "--env=MINORKEY_STUDY_ROOT=/study"]
    options += [f"--volume={root}:/study", f"--volume={tasks}:/given/executor_tasks.py:ro"]
    with started(PIPELINE, *program, options=options) as container:
        ended, reported = events(channel, 2)
        assert isinstance(ended, Ended) and ended.content["value"] == "there"
        assert isinstance(reported, Reported) and reported.value == 0.5
        status, taken = container.stop(grace=GRACE)
    assert status == SIGTERM_STATUS
    assert taken < GRACE / 2
    last = channel.ended(second)
    assert last is not None and last.outcome is Outcome.EVICTED


def events(channel: Channel, count: int, seconds: float = 60) -> list[Event]:
    """What the pod says, until it has said so much."""
    found: list[Event] = []
    seen: set[str] = set()
    until = time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < until, f"only {found}"
        found += [message.event for message in channel.inbox(0, seen)]
        time.sleep(0.1)
    return found
