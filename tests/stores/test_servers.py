"""The servers check what they are given: tests against them mean something."""

import uuid

import boto3
import botocore.exceptions
import psycopg
import pytest

from tests.conftest import BUCKET
from tests.stores.postgres import Postgres
from tests.stores.s3 import REGION, S3


def test_s3_refuses_a_wrong_secret(s3_server: S3) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key="wrong",
        region_name=REGION,
    )
    with pytest.raises(botocore.exceptions.ClientError, match="SignatureDoesNotMatch"):
        client.list_objects_v2(Bucket=BUCKET)


def test_s3_honours_a_conditional_put(s3_server: S3) -> None:
    client, key = s3_server.client(), uuid.uuid4().hex
    client.put_object(Bucket=BUCKET, Key=key, Body=b"first", IfNoneMatch="*")
    with pytest.raises(botocore.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"second", IfNoneMatch="*")
    assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"first"


def test_postgres_refuses_a_wrong_password(postgres_server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres_server.url(password="wrong"))
