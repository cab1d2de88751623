"""What an S3 store answers, in plain words: the object, what was found, what to do."""

from typing import Any

from minorkey.errors import StateError

__all__ = ["NOT_THERE", "NO_CREDENTIALS", "explained"]

#: Error codes by which S3 says that a key is not there.
NOT_THERE = ("NoSuchKey", "404")
#: What is said where the SDK finds no credentials at all.
NO_CREDENTIALS = "there are no credentials for S3"

_REFUSED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthFailure", "403", "Forbidden")
_EXPIRED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "InvalidToken",
    "RequestTimeTooSkewed",
)
_ELSEWHERE = (
    "PermanentRedirect",
    "301",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
)
_FULL = ("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507", "EntityTooLarge")


def explained(error: Any, bucket: str, place: str, endpoint: str) -> StateError:
    """The error of a request as one that names object and remedy.

    Args:
        error: a ``BotoCoreError`` or ``ClientError``.
        bucket: name of the bucket.
        place: where the object is or should be.
        endpoint: address of the store.
    """
    from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError

    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StateError(
            NO_CREDENTIALS,
            key="AWS_ACCESS_KEY_ID",
            value=place,
            allowed="AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or a role of the machine or pod",
            remedy="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or mount the Secret that holds them",
        )
    if not isinstance(error, ClientError):
        return StateError(
            f"the S3 store does not answer: {_line(error)}",
            key="AWS_ENDPOINT_URL",
            value=endpoint,
            allowed="an S3 service that can be reached from here",
            remedy="check address, port and network; without AWS_ENDPOINT_URL, AWS itself is asked",
        )
    return _answered(error, bucket, place, endpoint)


def _answered(error: Any, bucket: str, place: str, endpoint: str) -> StateError:
    code = str(error.response["Error"].get("Code", ""))
    said = _line(error)
    if code == "NoSuchBucket":
        return StateError(
            f"the bucket {bucket} does not exist",
            key=place,
            value=f"{endpoint}: {code}",
            allowed="an existing bucket",
            remedy=f"create the bucket {bucket}, or correct its name or AWS_ENDPOINT_URL",
        )
    if code in _REFUSED:
        return StateError(
            f"the S3 store refuses these credentials: {said}",
            key=place,
            value=f"{endpoint}: {code}",
            allowed="credentials that may get, put and list under this prefix",
            remedy="check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the policy of the bucket",
        )
    if code in _EXPIRED:
        return StateError(
            f"the S3 store does not take these credentials any more: {said}",
            key=place,
            value=f"{endpoint}: {code}",
            remedy="renew the credentials (AWS_SESSION_TOKEN) and check the machine's clock",
        )
    if code in _ELSEWHERE:
        return StateError(
            f"the bucket {bucket} is in another region: {said}",
            key="AWS_REGION",
            value=f"{endpoint}: {code}",
            remedy="set AWS_REGION to the bucket's region",
        )
    if code in _FULL:
        return StateError(
            f"the S3 store has no room: {said}",
            key=place,
            value=f"{endpoint}: {code}",
            remedy="make room or raise the quota, and run the same command again: finished trials are kept",
        )
    return StateError(
        f"the S3 store cannot do what is asked: {said}",
        key=place,
        value=f"{endpoint}: {code}",
        remedy="see the store's own log, and run the same command again: finished trials are kept",
    )


def _line(error: Any) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
