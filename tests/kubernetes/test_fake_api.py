"""The fake keeps the API's contract."""

from tests.kubernetes.api_contract import ApiContract


class TestFakeApi(ApiContract):
    """Against the fake."""
