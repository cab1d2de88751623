"""A fake cluster for the suites of this folder."""

from collections.abc import Iterator

import pytest

from tests.kubernetes.fake import FakeCluster
from tests.kubernetes.site import Site


@pytest.fixture(scope="module")
def cluster() -> Iterator[FakeCluster]:
    """A cluster of one node, for a module."""
    with FakeCluster(bookmark_seconds=0.5) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def site(cluster: FakeCluster) -> Iterator[Site]:
    """A namespace of the module's cluster."""
    with Site.of(str(cluster.kubeconfig), namespace="default").own_namespace("suite") as site:
        yield site
