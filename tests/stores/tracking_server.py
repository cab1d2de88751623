"""minorkey against an MLflow server that knows its users, with artifacts in S3 and runs in PostgreSQL."""

import json
import time
from pathlib import Path

import httpx
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.cluster.checks.stores import check_stores
from minorkey.cluster.findings import Finding
from minorkey.cluster.spec import load_cluster_spec
from minorkey.errors import StateError
from minorkey.registry import bundle_of_version, move_champion, register_version, store_bundle
from minorkey.settings import settings
from minorkey.tracking import champion_version, client, open_run
from minorkey.trials.trial import Configuration, Outcome, TrialResult
from tests.conftest import BUCKET
from tests.serving.bundles import small_bundle
from tests.stores.mlflow import Mlflow
from tests.stores.s3 import S3


def refusal() -> StateError:
    started = time.monotonic()
    with pytest.raises(StateError) as caught:
        champion_version("cards")
    assert time.monotonic() - started < 30
    assert caught.value.remedy
    return caught.value


class TrackingServer:
    @pytest.fixture(autouse=True)
    def server(self, mlflow_server: Mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mlflow:
        monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
        for name, value in mlflow_server.environment().items():
            monkeypatch.setenv(name, value)
        for name in ("MINORKEY_TRACKING_PASSWORD_FILE", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
            monkeypatch.delenv(name, raising=False)
        return mlflow_server

    def test_a_run_its_trials_and_its_artifacts(self, tmp_path: Path, s3_server: S3) -> None:
        tracker = open_run("cards", "served")
        tracker.log_dataset("cards-training", "d" * 32, source="rows.csv")
        configuration = Configuration("lightgbm", {"num_leaves": 31})
        tracker.log_trials([TrialResult(0, configuration, Outcome.COMPLETE, 0.5, ((0, 0.5),), (0.5,))])
        report = tmp_path / "report.html"
        report.write_text("<p>the report</p>")
        tracker.log_artifact(report)
        tracker.finish()
        assert open_run("cards", "served").run_id == tracker.run_id
        assert [file.path for file in client().list_artifacts(tracker.run_id)] == ["report.html"]
        found = s3_server.client().list_objects_v2(Bucket=BUCKET, Prefix="mlflow/").get("Contents", [])
        assert [
            one["Size"] for one in found if one["Key"].endswith(f"{tracker.run_id}/artifacts/report.html")
        ] == [17]

    def test_a_version_whose_bundle_lies_in_a_bucket(
        self, tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MINORKEY_BUNDLE_ROOT", s3)
        bundle: Bundle = small_bundle(tmp_path / "bundle")
        uri = store_bundle(bundle.folder, bundle.digest)
        version = register_version("claims", "key", bundle, uri, open_run("claims", "key"), {})
        assert bundle_of_version("claims", version) == uri == f"{s3}/{bundle.digest}"
        move_champion("claims", version, expected="")
        assert champion_version("claims") == version

    def test_a_wrong_password_is_named_before_work_starts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-wrong-password")
        error = refusal()
        assert error.key == "MLFLOW_TRACKING_USERNAME" and "MLFLOW_TRACKING_PASSWORD" in error.remedy
        assert "a-wrong-password" not in str(error)

    def test_an_absent_user_is_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
            monkeypatch.delenv(name)
        assert refusal().key == "MLFLOW_TRACKING_USERNAME"

    def test_the_password_may_lie_in_a_file(
        self, server: Mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "password").write_text(f"{server.password}\n")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-wrong-password")
        monkeypatch.setenv("MINORKEY_TRACKING_PASSWORD_FILE", str(tmp_path / "password"))
        assert champion_version("nothing") == ""
        monkeypatch.setenv("MINORKEY_TRACKING_PASSWORD_FILE", str(tmp_path / "nowhere"))
        assert refusal().key == "MINORKEY_TRACKING_PASSWORD_FILE"
        assert settings().tracking_uri == server.uri

    def test_the_doctor_tries_the_credentials(self, server: Mlflow, monkeypatch: pytest.MonkeyPatch) -> None:
        def found(secret: str = "") -> Finding:
            stores = {"study_root": "/study", "bundle_root": "/bundles/a", "bundle_volume": "bundles"}
            stores |= {"tracking_uri": server.uri, "tracking_secret": secret}
            content = {"namespace": "n", "stores": stores, "trials": {"study_volume": "studies"}}
            spec = load_cluster_spec(json.dumps(content))
            return next(one for one in check_stores(spec) if one.check == "tracking")

        assert found().status == "ok"
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-wrong-password")
        wrong = found("mlflow-login")
        assert wrong.status == "problem" and "stores.tracking_secret" in wrong.remedy
        assert "a-wrong-password" not in str(wrong)
        monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
        assert found("mlflow-login").status == "unseen" and "mlflow-login" in found("mlflow-login").remedy
        assert found().status == "problem"

    @pytest.mark.parametrize("credentials", [None, ("admin", "wrong")])
    def test_the_server_refuses_who_is_not_known(
        self, server: Mlflow, credentials: tuple[str, str] | None
    ) -> None:
        address = f"{server.uri}/api/2.0/mlflow/experiments/search?max_results=1"
        assert httpx.get(address, auth=credentials, timeout=30).status_code == 401
