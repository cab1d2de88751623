"""A real S3 service: SeaweedFS, with credentials that it checks."""

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.stores.processes import free_ports, running

REGION = "us-east-1"
_ROLES = ("master", "volume", "filer", "s3")


@dataclass(frozen=True)
class S3:
    """A running service with one key that may do everything and one that may do nothing."""

    endpoint: str
    access_key: str = "key-of-minorkey"
    secret_key: str = "secret-of-minorkey"
    powerless: tuple[str, str] = ("key-of-nobody", "secret-of-nobody")

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20),
        )


@contextlib.contextmanager
def s3_service(folder: Path, bucket: str) -> Iterator[S3]:
    """The service with one bucket. It is ready once an object can be stored."""
    names = [f"{role}{kind}" for role in _ROLES for kind in (".port", ".port.grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    service = S3(f"http://127.0.0.1:{ports['s3.port']}")
    (folder / "data").mkdir(parents=True)
    (folder / "s3.json").write_text(json.dumps({"identities": _identities(service)}))
    command = [
        Path(sys.executable).parent / "weed",
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-volume.max=50",
        "-master.volumeSizeLimitMB=64",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    client = service.client()

    def ready() -> bool:
        with contextlib.suppress(
            client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists
        ):
            client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="ready", Body=b"")
        client.delete_object(Bucket=bucket, Key="ready")
        return True

    try:
        with running(command, log=folder / "weed.log", ready=ready, stop=signal.SIGKILL):
            yield service
    finally:
        for port in ports.values():
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)


def _identities(service: S3) -> list[dict[str, Any]]:
    def identity(name: str, key: str, secret: str, actions: list[str]) -> dict[str, Any]:
        return {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}

    everything = ["Admin", "Read", "Write", "List", "Tagging"]
    return [
        identity("minorkey", service.access_key, service.secret_key, everything),
        identity("nobody", *service.powerless, ["Read:another-bucket"]),
    ]
