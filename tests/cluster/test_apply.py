"""What a run needs in its namespace is applied as GitOps does."""

from collections.abc import Iterator

import pytest

from tests.cluster.applying import apply
from tests.cluster.rights import driver_objects
from tests.kubernetes.site import Site, refused

pytestmark = pytest.mark.cluster


@pytest.fixture
def own(site: Site) -> Iterator[Site]:
    with site.own_namespace("apply") as own:
        yield own


def test_applying_twice_changes_nothing(own: Site) -> None:
    """Accounts, role and binding by server-side apply, twice."""
    manifests = driver_objects(own.namespace)
    first = [apply(own.api, manifest, "git") for manifest in manifests]
    again = [apply(own.api, manifest, "git") for manifest in manifests]
    versions = [made["metadata"]["resourceVersion"] for made in first]
    assert [made["metadata"]["resourceVersion"] for made in again] == versions
    assert all(made["metadata"]["managedFields"][0]["operation"] == "Apply" for made in again)


def test_a_change_by_hand_is_a_conflict_until_it_is_forced(own: Site) -> None:
    """A quota raised by hand and then applied again from Git."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"namespace": own.namespace, "name": "trials"},
        "spec": {"hard": {"pods": "20", "count/jobs.batch": "40"}},
    }
    apply(own.api, quota, "git")
    apply(own.api, {**quota, "spec": {"hard": {"pods": "30"}}}, "somebody", force=True)
    body = refused(409, apply, own.api, quota, "git")
    assert 'conflict with "somebody"' in body["details"]["causes"][0]["message"]
    made = apply(own.api, quota, "git", force=True)
    assert made["spec"]["hard"] == {"pods": "20", "count/jobs.batch": "40"}
