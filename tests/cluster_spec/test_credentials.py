"""Who a process is at the Kubernetes API."""

import pytest

from minorkey.cluster.credentials import configuration, in_cluster
from minorkey.errors import StateError

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
clusters: [{name: here, cluster: {server: "https://named.test:6443"}}]
users: [{name: me, user: {token: mine}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
"""
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    """The folder of a mounted Secret, as a step's pod sees it."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "token").write_text("of-the-tune-account")
    (folder / "ca.crt").write_text(CERTIFICATE)
    monkeypatch.setenv("MINORKEY_KUBERNETES_CREDENTIALS", str(folder))
    return folder


@pytest.fixture
def kubeconfig(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    return path


def test_a_step_acts_as_the_account_whose_token_is_mounted(mounted, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    made = configuration()
    assert made.host == "https://10.0.0.1:443"
    assert made.get_api_key_with_prefix("authorization") == "bearer of-the-tune-account"


def test_a_kubeconfig_that_is_named_wins(mounted, kubeconfig):
    assert in_cluster()
    assert configuration(kubeconfig).host == "https://named.test:6443"


def test_without_anything_the_message_names_what_to_set(tmp_path, monkeypatch):
    monkeypatch.delenv("MINORKEY_KUBERNETES_CREDENTIALS", raising=False)
    with pytest.raises(StateError, match="no usable access") as caught:
        configuration(tmp_path / "none")
    assert caught.value.key.endswith("none") and "KUBECONFIG" in caught.value.remedy


def test_a_folder_without_a_token_is_named(mounted, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (mounted / "token").unlink()
    with pytest.raises(StateError) as caught:
        configuration()
    assert caught.value.key == str(mounted)
