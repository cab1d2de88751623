"""Who this process is at the Kubernetes API."""

from pathlib import Path

from kubernetes import client, config
from kubernetes.config.incluster_config import InClusterConfigLoader

from minorkey.errors import StateError
from minorkey.settings import settings

__all__ = ["configuration", "in_cluster"]

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def in_cluster() -> bool:
    """Whether this process is a pod with a ServiceAccount, its own or one whose token is mounted."""
    return bool(settings().kubernetes_credentials) or _SERVICE_ACCOUNT.exists()


def configuration(
    kubeconfig: Path | str | None = None, *, context: str | None = None
) -> client.Configuration:
    """Address and identity for a client.

    A kubeconfig that is named wins. Else a step uses the ServiceAccount whose token lies in the folder
    ``settings().kubernetes_credentials``, any other pod its own, and a process elsewhere the default
    kubeconfig.

    Args:
        kubeconfig: path of a kubeconfig.
        context: its context; None: the current one.

    Raises:
        StateError: there is no usable one.
    """
    made = client.Configuration()
    mounted = settings().kubernetes_credentials
    try:
        if kubeconfig is None and mounted:
            InClusterConfigLoader(f"{mounted}/token", f"{mounted}/ca.crt").load_and_set(made)
        elif kubeconfig is None and in_cluster():
            config.load_incluster_config(client_configuration=made)
        else:
            named = None if kubeconfig is None else str(kubeconfig)
            config.load_kube_config(named, context=context, client_configuration=made)
    except (config.ConfigException, OSError, ValueError) as error:
        raise StateError(
            "there is no usable access to a Kubernetes API",
            key=str(kubeconfig or mounted or "KUBECONFIG"),
            value=error,
            remedy="set KUBECONFIG to a kubeconfig with a current context, or run inside the cluster",
        ) from None
    return made
