"""The whole pipeline with every store a real service: what it leaves where, and that the model serves."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.registry import bundle_of_version, fetch_bundle
from minorkey.tracking import champion_version, client
from minorkey.trials.study_root import open_root
from tests.stores.mlflow import PASSWORD as TRACKING_PASSWORD
from tests.stores.mlflow import Mlflow
from tests.stores.postgres import PASSWORD as DATABASE_PASSWORD
from tests.stores.processes import free_ports

ROOT = Path(__file__).parents[2]
SPEC = {
    "model": "stored",
    "data": {"source": "builtin:cards", "options": {"rows": 20_000, "days": 28}},
    "split": {"folds": 2},
    "search": {
        "trials": 3,
        "workers": 1,
        "families": ["logistic_regression"],
        "resamplers": ["none"],
        "finalists": 1,
        "ensemble": 1,
    },
    "evaluate": {"bootstraps": 100},
}


def command(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "minorkey",
            "run",
            str(tmp_path / "spec.json"),
            "--out",
            str(tmp_path / "out"),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=580,
    )


def _answers(tmp_path: Path) -> bool:
    """Whether `minorkey serve` serves the champion on a machine that knows the stores' addresses alone."""
    port = free_ports(1)[0]
    with (tmp_path / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "minorkey", "serve", "--model", "stored@champion", "--port", str(port)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + 200
        while time.monotonic() < end and server.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/v2/health/ready").status_code == 200:
                    return True
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError((tmp_path / "serve.log").read_text())
    finally:
        server.terminate()
        server.wait(30)


class WholeRun:
    @pytest.fixture
    def stores(
        self, s3: str, database: str, mlflow_server: Mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> dict[str, str]:
        """Addresses of the stores, set as a cluster sets them."""
        for name, value in mlflow_server.environment().items():
            monkeypatch.setenv(name, value)
        (tmp_path / "url").write_text(database)
        monkeypatch.delenv("MINORKEY_DATABASE_URL", raising=False)
        monkeypatch.setenv("MINORKEY_DATABASE_URL_FILE", str(tmp_path / "url"))
        monkeypatch.setenv("MINORKEY_STUDY_ROOT", f"{s3}/studies")
        monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", f"{s3}/bundles")
        monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        return {"studies": f"{s3}/studies", "bundles": f"{s3}/bundles", "database": database}

    @pytest.mark.slow
    @pytest.mark.timeout(600)
    def test_a_run_on_services_alone(
        self, stores: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown = command(tmp_path)
        assert shown.returncode == 0, shown.stderr
        out = tmp_path / "out"
        result = json.loads((out / "result.json").read_text())
        deployment = json.loads((out / "deployment.json").read_text())
        try:
            assert result["gate"]["decision"] == "promote" and sum(result["trials"].values()) == 3
            assert httpx.get(f"{deployment['url']}/v2/health/ready").status_code == 200
            arguments = " ".join(psutil.Process(deployment["pid"]).cmdline())
        finally:
            psutil.Process(deployment["pid"]).terminate()

        key = result["run_key"]
        study = open_root(f"{stores['studies']}/{key}")
        assert len([name for name in study.list("trials/final/") if name.endswith("/result.json")]) == 3
        version = champion_version("stored")
        uri = bundle_of_version("stored", version)
        assert uri.startswith(stores["bundles"])
        with psycopg.connect(stores["database"]) as made:
            assert made.execute("SELECT run_key FROM minorkey_openings").fetchall() == [(key,)]
            assert made.execute("SELECT count(*) FROM minorkey_leases").fetchone() == (0,)
            assert made.execute("SELECT count(*) FROM trials WHERE state = 'COMPLETE'").fetchone() == (3,)
        runs = client().search_runs([client().get_experiment_by_name("stored").experiment_id])
        assert len([run for run in runs if run.data.tags["minorkey.kind"] == "trial"]) == 3
        tracked = [str(run.to_dictionary()) for run in runs]
        tracked += [str(dict(one)) for one in client().search_model_versions("name = 'stored'")]
        tracked += [str(dict(client().get_registered_model("stored")))]
        for secret in (TRACKING_PASSWORD, DATABASE_PASSWORD, os.environ["AWS_SECRET_ACCESS_KEY"]):
            assert secret not in shown.stdout + shown.stderr + arguments + "".join(tracked)
            assert not [
                path for path in out.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
            ]

        monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "another-machine"))
        assert Bundle.load(fetch_bundle(uri)).info.model == "stored"
        assert _answers(tmp_path)
        assert DATABASE_PASSWORD not in (log := (tmp_path / "serve.log").read_text())
        assert TRACKING_PASSWORD not in log and os.environ["AWS_SECRET_ACCESS_KEY"] not in log

    @pytest.mark.slow
    @pytest.mark.timeout(600)
    def test_a_wrong_password_ends_the_run_before_any_work(
        self, stores: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-wrong-password")
        shown = command(tmp_path)
        assert shown.returncode == 2
        assert "MLFLOW_TRACKING_PASSWORD" in shown.stderr and "a-wrong-password" not in shown.stderr
        assert not (tmp_path / "out").exists()
