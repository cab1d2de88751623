"""Servers that several test modules share: each starts when a test first asks for it."""

import os
import uuid
from collections.abc import Iterator

import pytest

from tests.stores.mlflow import Mlflow, mlflow_service
from tests.stores.postgres import Postgres, postgres_service
from tests.stores.s3 import S3, s3_service

BUCKET = "minorkey-tests"


@pytest.fixture(autouse=True)
def _no_address_is_left_behind() -> Iterator[None]:
    """MLflow writes the address that it was last given into the environment, where later tests find it."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    yield
    if before is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    else:
        os.environ["MLFLOW_TRACKING_URI"] = before


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_service(tmp_path_factory.mktemp("s3"), BUCKET) as service:
        yield service


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh place in a bucket, with the environment that reaches it."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres_service() as service:
        yield service


@pytest.fixture
def database(postgres_server: Postgres) -> str:
    """Address of a fresh database."""
    return postgres_server.create(uuid.uuid4().hex)


@pytest.fixture(scope="session")
def mlflow_server(
    tmp_path_factory: pytest.TempPathFactory, s3_server: S3, postgres_server: Postgres
) -> Iterator[Mlflow]:
    """An MLflow server with users and passwords, its runs in PostgreSQL and its artifacts in S3."""
    folder = tmp_path_factory.mktemp("mlflow")
    destination = f"s3://{BUCKET}/mlflow"
    with mlflow_service(folder, postgres_server.create("mlflow"), destination, s3_server) as service:
        yield service
