"""The images themselves: the whole pipeline through kfp's DockerRunner, and the predictor."""

import json
import os
import re
import subprocess
import time

import docker
import httpx
import pytest
from docker.types import Ulimit
from kfp.local import docker_task_handler

from minorkey.result import write_result
from minorkey.spec import RunSpec, with_overrides
from pipelines import containers
from pipelines.local import run
from tests.containers.conftest import LIMITS
from tests.containers.podman import PIPELINE, PREDICTOR, once, started

pytestmark = [pytest.mark.container, pytest.mark.timeout(1500)]


def spec() -> RunSpec:
    content = {
        "model": "contained",
        "data": {"options": {"rows": 8_000, "days": 28, "fraud_share": 0.03}},
        "split": {"folds": 3},
        "search": {
            "trials": 4,
            "workers": 2,
            "finalists": 2,
            "families": ["logistic_regression", "lightgbm"],
            "reproducible": True,
        },
        "evaluate": {"bootstraps": 200},
        "deploy": {"target": "none"},
    }
    return with_overrides(content, {})


@pytest.fixture(scope="module")
def results(engine, tmp_path_factory):
    """The same run, each step once as a process and once in a container, with homes of their own."""
    found = {}
    for runner in ("process", "container"):
        folder = tmp_path_factory.mktemp(runner)
        options = None
        if runner == "container":
            options = {"network_mode": "host", "ulimits": LIMITS, "user": str(os.getuid())}
            options |= {"read_only": True, "tmpfs": {"/tmp": ""}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MINORKEY_HOME", str(folder / "home"))
            patch.delenv("MLFLOW_TRACKING_URI", raising=False)
            run(spec(), folder / "out", finish=write_result, containers=options)
        found[runner] = folder / "out"
    return found


def test_containers_reach_the_metrics_of_processes(results):
    process, container = (
        json.loads((results[name] / "result.json").read_text()) for name in ("process", "container")
    )
    assert container["metrics"]["test"] == process["metrics"]["test"]
    assert container["threshold"] == process["threshold"]
    assert container["configuration"] == process["configuration"]
    assert container["gate"]["decision"] == process["gate"]["decision"]


def test_steps_really_ran_in_containers(results):
    log = (results["container"] / "logs/pipeline.log").read_text()
    executed = re.findall(r"Executing task.*'([a-z]+)'", log)
    assert {"load", "preprocess", "tune", "evaluate", "register"} < set(executed)
    assert log.count(f"Found image '{PIPELINE}'") == len(executed)


@pytest.fixture
def step(engine, monkeypatch):
    """Runs a shell's line as a step does, through a client of a given timeout, and gives its status."""
    monkeypatch.setattr(docker_task_handler, "run_docker_container", None)
    containers.keep_until_read()
    options = {"network_mode": "host", "ulimits": [Ulimit(**limit) for limit in LIMITS]}

    def run_it(line: str, timeout: int = 60) -> int:
        client = docker.from_env(timeout=timeout)
        command = ["/bin/sh", "-c", line]
        try:
            return docker_task_handler.run_docker_container(
                client, image=PIPELINE, command=command, volumes={}, **options
            )
        finally:
            assert not client.containers.list(all=True, filters={"ancestor": PIPELINE})
            client.close()

    return run_it


@pytest.mark.parametrize("status", [0, 7])
def test_a_step_that_ends_at_once_keeps_its_status(step, status):
    assert [step(f"exit {status}") for _ in range(5)] == [status] * 5


def test_a_steps_whole_output_is_printed(step, capsys):
    assert step("seq 20000; echo Müller >&2; printf end; exit 3") == 3
    lines = capsys.readouterr().out.split()
    assert [line for line in lines if line.isdigit()] == [str(number) for number in range(1, 20_001)]
    assert {"Müller", "end"} <= set(lines)


def test_a_step_may_be_silent_for_longer_than_the_engines_client_waits(step, capsys):
    assert step("sleep 6; echo done; exit 4", timeout=2) == 4
    assert "done" in capsys.readouterr().out


def test_the_predictor_serves_a_mounted_bundle_as_a_plain_user_and_ends_on_sigterm(results):
    options = [f"--volume={results['container'] / 'bundle'}:/bundle:ro"]
    arguments = ["--bundle", "/bundle", "--port", "18080"]
    with started(PREDICTOR, *arguments, options=options, network="host") as container:
        await_ready("http://127.0.0.1:18080/v2/health/ready", container.process)
        assert httpx.get("http://127.0.0.1:18080/v2/models/contained").json()["name"] == "contained"
        assert int(container.execute("id", "-u")) > 0
        status, taken = container.stop()
    assert status in (0, 143), "it had to be killed"
    assert taken < 15


def test_the_predictor_image_holds_no_training_library():
    modules = ("sklearn", "lightgbm", "torch", "optuna", "mlflow", "kfp")
    code = f"import importlib.util as u; print([name for name in {modules} if u.find_spec(name)])"
    done = once(PREDICTOR, "-c", code, options=["--entrypoint=python3"])
    assert done.stdout.strip() == "[]", done.stderr


def await_ready(url: str, server: subprocess.Popen) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, server.stdout and server.stdout.read()
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} did not become ready")
