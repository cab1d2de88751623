"""Whether an MLflow server lets in whom the environment names, without importing MLflow."""

import httpx

from minorkey.settings import settings
from minorkey.tracking.client import refused, take_password

__all__ = ["sign_in"]


def sign_in(uri: str, seconds: float) -> None:
    """One cheap request as the user whom the environment names.

    Args:
        uri: address of the server.
        seconds: within which it has to answer.

    Raises:
        StateError: the server does not know the user, or does not let them read.
        httpx.HTTPError: it cannot be reached, or answers with another error.
    """
    take_password()
    asked = settings()
    user, password, token = asked.tracking_user, asked.tracking_password, asked.tracking_token
    answer = httpx.get(
        f"{uri.rstrip('/')}/api/2.0/mlflow/experiments/search",
        params={"max_results": 1},
        auth=(user, password) if user else None,
        headers={"Authorization": f"Bearer {token}"} if token and not user else None,
        timeout=seconds,
    )
    error = refused(f"error code {answer.status_code}", "")
    if error is not None:
        raise error
    answer.raise_for_status()
