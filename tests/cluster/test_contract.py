"""The real API server keeps the contract that the fake keeps."""

import pytest

from tests.kubernetes.api_contract import ApiContract

pytestmark = pytest.mark.cluster


class TestRealApi(ApiContract):
    """Against the cluster of the kubeconfig."""
