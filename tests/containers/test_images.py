"""The images themselves: the whole pipeline through kfp's DockerRunner, and the predictor."""

import json
import os
import subprocess
import time

import httpx
import pytest

from minorkey.result import write_result
from minorkey.spec import RunSpec, with_overrides
from pipelines.local import run
from tests.containers.conftest import LIMITS

pytestmark = [pytest.mark.container, pytest.mark.timeout(1500)]

PREDICTOR = "localhost/minorkey-predictor:python3.11"
FLAGS = "--rm --network=host --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024"
PODMAN = ["podman", "--runtime=runc", "run", *FLAGS.split()]


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
        containers = None
        if runner == "container":
            containers = {"network_mode": "host", "ulimits": LIMITS, "user": str(os.getuid())}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MINORKEY_HOME", str(folder / "home"))
            patch.delenv("MLFLOW_TRACKING_URI", raising=False)
            run(spec(), folder / "out", finish=write_result, containers=containers)
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
    assert log.count("Found image 'localhost/minorkey-pipeline:python3.11'") == 6 - ("deploy" not in log)


def test_the_predictor_serves_a_mounted_bundle_as_a_plain_user_and_ends_on_sigterm(results):
    bundle = results["container"] / "bundle"
    name = f"minorkey-predictor-{os.getpid()}"
    command = [*PODMAN, "--read-only", "--tmpfs=/tmp", f"--name={name}", f"--volume={bundle}:/bundle:ro"]
    command += [PREDICTOR, "--bundle", "/bundle", "--port", "18080"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        await_ready("http://127.0.0.1:18080/v2/health/ready", server)
        assert httpx.get("http://127.0.0.1:18080/v2/models/contained").json()["name"] == "contained"
        identity = subprocess.run(
            ["podman", "exec", name, "id", "-u"], capture_output=True, text=True, check=True
        )
        assert int(identity.stdout) > 0
    finally:
        began = time.monotonic()
        subprocess.run(["podman", "stop", "--time=20", name], check=True, capture_output=True)
    assert time.monotonic() - began < 15, "it had to be killed"
    assert server.wait(timeout=30) == 0


def test_the_predictor_image_holds_no_training_library():
    modules = ("sklearn", "lightgbm", "torch", "optuna", "mlflow", "kfp")
    code = f"import importlib.util as u; print([name for name in {modules} if u.find_spec(name)])"
    command = [*PODMAN, "--entrypoint=python3", PREDICTOR, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
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
