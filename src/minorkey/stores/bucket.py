"""One prefix of an S3 bucket: whole objects that are put, read and listed.

Endpoint, region and credentials come from the environment that every S3 tool reads (``AWS_ENDPOINT_URL``,
``AWS_ACCESS_KEY_ID`` and so on), or from the machine's own role.
"""

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from minorkey.errors import StateError
from minorkey.settings import settings
from minorkey.stores.bucket_problems import NOT_THERE, explained

__all__ = ["Bucket"]

#: Attempts of one request, pauses of about 0.5, 1, 2, 4, 8 and then 10 s between them.
_ATTEMPTS = 10
#: Attempts of a conditional put that S3 answers with "another one is under way".
_CONFLICTS = 20
#: Metadata by which a put recognises its own object.
_MARK = "minorkey-put"


class Bucket:
    """The objects under ``s3://bucket/prefix``.

    Args:
        location: ``s3://bucket`` or ``s3://bucket/prefix``.
        attempts: attempts of one request; fewer find out sooner that nobody answers.

    Raises:
        StateError: the location is none.
    """

    def __init__(self, location: str, *, attempts: int = _ATTEMPTS) -> None:
        address = urlsplit(location)
        self.name, self.prefix = address.netloc, address.path.strip("/")
        if address.scheme != "s3" or not self.name or address.query or address.fragment:
            raise StateError(
                "this is not a place in an S3 bucket",
                key="location",
                value=location,
                allowed="s3://BUCKET or s3://BUCKET/PREFIX",
                remedy="correct it",
            )
        self._client = _client(settings().s3_region, attempts)

    @property
    def location(self) -> str:
        """Where the objects are."""
        return f"s3://{self.name}/{self.prefix}".rstrip("/")

    def put(self, key: str, content: bytes) -> None:
        """Store content under a key, in place of what was there.

        Raises:
            StateError: the store refuses or does not answer.
        """
        with self._reaching(key):
            self._client.put_object(Bucket=self.name, Key=self._full(key), Body=content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Store content under a key unless the key is there; of several writers exactly one gets True.

        The SDK repeats a request whose answer was lost. The repetition finds the object of the first
        attempt, so an object is marked with its writer.

        Raises:
            StateError: the store refuses or does not answer.
        """
        from botocore.exceptions import ClientError

        mark = uuid.uuid4().hex
        with self._reaching(key):
            for attempt in range(_CONFLICTS):
                try:
                    self._client.put_object(
                        Bucket=self.name,
                        Key=self._full(key),
                        Body=content,
                        IfNoneMatch="*",
                        Metadata={_MARK: mark},
                    )
                except ClientError as error:
                    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                    if status == 412:
                        repeated = attempt or error.response["ResponseMetadata"].get("RetryAttempts", 0)
                        return bool(repeated) and self._mark(key) == mark
                    if status != 409 or attempt == _CONFLICTS - 1:
                        raise
                    time.sleep(random.uniform(0.01, 0.1))  # noqa: S311
                else:
                    return True
        return False

    def get(self, key: str) -> bytes | None:
        """What a key holds, None if it is not there.

        Raises:
            StateError: the store refuses or does not answer.
        """
        from botocore.exceptions import ClientError

        with self._reaching(key):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=self._full(key))
            except ClientError as error:
                if error.response["Error"]["Code"] in NOT_THERE:
                    return None
                raise
            content: bytes = answer["Body"].read()
            return content

    def list(self, prefix: str) -> list[str]:
        """Every key that begins with the prefix, sorted, however many pages they fill.

        Raises:
            StateError: the store refuses or does not answer.
        """
        cut = len(self._full(""))
        with self._reaching(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=self._full(prefix)
            )
            return sorted(one["Key"][cut:] for page in pages for one in page.get("Contents", ()))

    def _mark(self, key: str) -> str | None:
        answer = self._client.head_object(Bucket=self.name, Key=self._full(key))
        found: str | None = answer["Metadata"].get(_MARK)
        return found

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    @contextmanager
    def _reaching(self, key: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            endpoint = str(self._client.meta.endpoint_url)
            raise explained(error, self.name, f"{self.location}/{key}", endpoint) from error


def _client(region: str, attempts: int) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise StateError(
            "places in S3 need packages that are not installed",
            key="boto3",
            remedy="install minorkey with its extra `cluster`: pip install 'minorkey[cluster]'",
        ) from None
    # A session of its own reads the environment now; boto3's shared one keeps what it read first.
    return boto3.Session().client("s3", region_name=region or None, config=Config(**_options(attempts)))


def _options(attempts: int) -> dict[str, Any]:
    return {
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "connect_timeout": 5,
        "read_timeout": 60,
        "max_pool_connections": 32,
        # Stores other than AWS do not all know the newer checksums.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
