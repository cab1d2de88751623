"""`minorkey serve` and `mlflow models serve` load the same registered model and answer the same."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.registry import move_champion
from minorkey.serving.alias import ALIAS_SECONDS
from minorkey.serving.samples import sample_rows
from minorkey.serving.server import bind
from minorkey.serving.verification import inference_body
from tests.steps.registered import registered


def _free_port() -> int:
    with bind("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _running(arguments: list[str], health: str, **environment: str) -> Iterator[None]:
    """A server process of its own group, once its health answers; ended with all its children."""
    # MLflow finds uvicorn by the path.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ | environment | {"PATH": path},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not _answers(health):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _mlflow_inputs(rows: dict[str, Any]) -> dict[str, Any]:
    """MLflow's own request: one list for each feature."""
    return {"inputs": {tensor["name"]: tensor["data"] for tensor in inference_body(rows)["inputs"]}}


@pytest.mark.slow
def test_both_servers_answer_the_same(
    bundle: Bundle, other_bundle: Bundle, home: Path, tmp_path: Path
) -> None:
    result = registered(bundle, "key-1", tmp_path)
    move_champion("cards", result.model_version, expected="")
    rows = sample_rows(bundle.info, 40)
    ours, theirs = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
    mlflow = ["mlflow", "models", "serve", "-m", "models:/cards@champion", "--env-manager", "local"]
    mlflow += ["-h", "127.0.0.1", "-p", theirs.rpartition(":")[2]]
    with _running(mlflow, f"{theirs}/ping", MLFLOW_TRACKING_URI=f"sqlite:///{home}/mlflow.db"):
        body = _mlflow_inputs(rows)
        answer = httpx.post(f"{theirs}/invocations", json=body, trust_env=False, timeout=60)
    expected = answer.json()["predictions"]["score"]
    command = ["minorkey", "serve", "--model", "cards@champion", "--port", ours.rpartition(":")[2]]
    with _running(command, f"{ours}/v2/health/ready"), httpx.Client(base_url=ours, trust_env=False) as http:
        body = inference_body(rows)
        found = http.post("/v2/models/cards/infer", json=body).json()["outputs"][0]["data"]
        np.testing.assert_allclose(found, expected, atol=1e-6)

        later = registered(other_bundle, "key-2", tmp_path)
        move_champion("cards", later.model_version, expected=result.model_version)
        statuses = set()
        deadline = time.monotonic() + 30 * ALIAS_SECONDS
        while time.monotonic() < deadline:
            answer = http.post("/v2/models/cards/infer", json=body)
            statuses.add(answer.status_code)
            if answer.json()["model_version"] == later.model_version:
                break
        assert statuses == {200}
        np.testing.assert_array_equal(answer.json()["outputs"][0]["data"], other_bundle.score_arrays(rows)[1])
