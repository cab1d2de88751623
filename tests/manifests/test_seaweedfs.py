"""The S3 service of components/seaweedfs starts as it is written, and keeps trials to the study root."""

import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.manifests.built import MANIFESTS, build, one
from tests.stores.processes import free_ports, running

PAGE = MANIFESTS.parent / "docs/how-to/install-by-git.md"
BUCKET = "minorkey-dev"


def client(port: int, key: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=key,
        aws_secret_access_key=f"secret-of-{key}",
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20),
    )


def identities() -> dict[str, Any]:
    """Those of the page, with keys filled in."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    content = json.loads(block)
    for identity in content["identities"]:
        name = identity["name"]
        identity["credentials"] = [{"accessKey": name, "secretKey": f"secret-of-{name}"}]
    return content


def test_trials_reach_the_study_root_and_nothing_else(tmp_path: Path) -> None:
    pod = one(build("overlays/dev"), "StatefulSet", "minorkey-seaweedfs")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    names = [f"-{role}.port{kind}" for role in ("master", "volume", "filer") for kind in ("", ".grpc")]
    s3, grpc, *others = free_ports(len(names) + 2)
    here = {
        "-dir=/data": f"-dir={tmp_path / 'data'}",
        "-ip.bind=0.0.0.0": "-ip.bind=127.0.0.1",
        "-s3.config=/etc/seaweedfs/s3.json": f"-s3.config={tmp_path / 's3.json'}",
        "-s3.port=8333": f"-s3.port={s3}",
    }
    assert set(here) <= set(container["args"])
    (tmp_path / "data").mkdir()
    (tmp_path / "s3.json").write_text(json.dumps(identities()))
    command = [
        Path(sys.executable).parent / container["command"][0],
        *(here.get(word, word) for word in container["args"]),
        f"-s3.port.grpc={grpc}",
        f"-filer.localSocket={tmp_path / 'filer.sock'}",
        *(f"{name}={port}" for name, port in zip(names, others, strict=True)),
    ]
    ours, theirs = client(s3, "artifacts"), client(s3, "study")

    def ready() -> bool:
        ours.create_bucket(Bucket=BUCKET)
        ours.put_object(Bucket=BUCKET, Key="bundles/one", Body=b"a bundle")
        return True

    try:
        with running(command, log=tmp_path / "weed.log", ready=ready, stop=signal.SIGKILL):
            theirs.put_object(Bucket=BUCKET, Key="studies/a/plan.json", Body=b"{}", IfNoneMatch="*")
            with pytest.raises(ClientError, match="PreconditionFailed"):
                theirs.put_object(Bucket=BUCKET, Key="studies/a/plan.json", Body=b"!", IfNoneMatch="*")
            assert theirs.get_object(Bucket=BUCKET, Key="studies/a/plan.json")["Body"].read() == b"{}"
            found = theirs.list_objects_v2(Bucket=BUCKET, Prefix="studies/a/")
            assert [one["Key"] for one in found["Contents"]] == ["studies/a/plan.json"]
            for call, more in (
                (theirs.get_object, {"Key": "bundles/one"}),
                (theirs.put_object, {"Key": "bundles/one", "Body": b"another"}),
                (theirs.delete_object, {"Key": "bundles/one"}),
            ):
                with pytest.raises(ClientError, match="AccessDenied"):
                    call(Bucket=BUCKET, **more)
            assert ours.get_object(Bucket=BUCKET, Key="bundles/one")["Body"].read() == b"a bundle"
    finally:
        for port in (s3, *others):
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)
