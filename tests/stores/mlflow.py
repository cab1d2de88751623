"""A real MLflow server process with users and passwords."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.stores.processes import free_ports, running
from tests.stores.s3 import REGION, S3

USER = "admin"
PASSWORD = "password-of-the-admin"
_AUTH = """[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/auth.db
admin_username = {user}
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


@dataclass(frozen=True)
class Mlflow:
    uri: str
    user: str = USER
    password: str = PASSWORD

    def environment(self) -> dict[str, str]:
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_TRACKING_USERNAME": self.user,
            "MLFLOW_TRACKING_PASSWORD": self.password,
        }


@contextlib.contextmanager
def mlflow_service(folder: Path, database: str, artifacts: str, s3: S3) -> Iterator[Mlflow]:
    (port,) = free_ports(1)
    service = Mlflow(f"http://127.0.0.1:{port}")
    settings = folder / "auth.ini"
    settings.write_text(_AUTH.format(folder=folder, user=USER, password=PASSWORD))
    environment = os.environ | s3.environment()
    environment |= {
        "AWS_DEFAULT_REGION": REGION,
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "secret-of-the-forms",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [
        sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--workers", "1",
        "--host", "127.0.0.1", "--port", str(port), "--artifacts-destination", artifacts,
        "--backend-store-uri", database.replace("postgresql://", "postgresql+psycopg://"),
    ]  # fmt: skip

    def ready() -> bool:
        answer = httpx.get(
            f"{service.uri}/api/2.0/mlflow/experiments/search?max_results=1",
            auth=(USER, PASSWORD),
            timeout=30,
        )
        return answer.status_code == 200

    with running(command, log=folder / "mlflow.log", ready=ready, environment=environment):
        yield service
