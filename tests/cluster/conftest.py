"""The suite for a real cluster: ``make test-cluster``.

Everything happens in namespaces of its own, with a random suffix, that are gone at the end. Volumes of the
node, which belong to no namespace, are deleted too. What a killed run leaves carries a label:
``kubectl delete namespace -l minorkey.io/test=true``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from tests.cluster.parameters import OPTIONS, Parameters
from tests.cluster.plan import plan
from tests.cluster.study_place import StudyPlace, study_place
from tests.kubernetes.site import Site


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    for name, (default, meaning) in OPTIONS.items():
        group.addoption(f"--{name}", default=default, help=meaning)
    group.addoption("--dry-run", action="store_true", help="list what would be done, and do nothing")


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Under ``--dry-run``: the plan instead of the tests."""
    if not session.config.getoption("--dry-run", False):
        return None
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n".join(plan(session.items, _given(session.config))))
    return True


def _given(settings: pytest.Config) -> dict[str, str]:
    return {name: str(settings.getoption(f"--{name}", default)) for name, (default, _) in OPTIONS.items()}


@pytest.fixture(scope="session")
def parameters(pytestconfig: pytest.Config) -> Parameters:
    """What the suite was told."""
    given = Parameters.of(_given(pytestconfig))
    if not given.image:
        pytest.skip("no image was named: make test-cluster IMAGE=...")
    return given


@pytest.fixture(scope="session")
def administrator(parameters: Parameters) -> client.ApiClient:
    """A client with the rights of the kubeconfig."""
    try:
        return config.new_client_from_config(context=parameters.kube_context)
    except config.ConfigException as error:
        pytest.exit(f"no cluster: {error} Set KUBECONFIG, and KUBE_CONTEXT= if need be.", returncode=2)


@pytest.fixture(scope="module")
def site(parameters: Parameters, administrator: client.ApiClient) -> Iterator[Site]:
    """A namespace for a module."""
    cluster = Site(administrator, "default", image=parameters.image, patience=parameters.patience)
    with cluster.own_namespace("cluster") as own:
        yield own


@pytest.fixture
def place(site: Site, parameters: Parameters, tmp_path: Path) -> Iterator[StudyPlace]:
    """A namespace with what trial pods need, and a study root that driver and pods reach."""
    if not parameters.study_root and parameters.node_folder is None:
        pytest.skip("no study root was named: STUDY_ROOT=s3://... or NODE_FOLDER=/a/folder/of/the/node")
    with study_place(site, parameters, tmp_path) as prepared:
        yield prepared
