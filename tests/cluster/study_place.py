"""A namespace in which a study can run: accounts, a kubeconfig with the driver's rights, a study root."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import yaml
from kubernetes import client

from minorkey.cluster.spec import Profile, TrialPods
from tests.cluster.applying import apply
from tests.cluster.parameters import Parameters
from tests.cluster.rights import DRIVER_ACCOUNT, TRIAL_ACCOUNT, driver_objects
from tests.kubernetes.site import Site

__all__ = ["StudyPlace", "study_place"]

_MOUNT = "/study"
_CLAIM = "minorkey-study"
_SECRET = "minorkey-study"
#: What opens an S3 study root; set where the suite runs, given to pods in a Secret.
_S3_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class StudyPlace:
    """Where a study runs.

    Attributes:
        kubeconfig: has the rights of the driver's service account alone.
        root: the study root as the driver reaches it.
        pod_root: the same as pods reach it.
        pods: what trial pods are like.
    """

    site: Site
    kubeconfig: Path
    root: str
    pod_root: str
    pods: TrialPods
    image: str


@contextmanager
def study_place(site: Site, parameters: Parameters, folder: Path) -> Iterator[StudyPlace]:
    """Prepare a namespace for a study, and clean up after it."""
    study = f"study-{uuid4().hex[:8]}"
    with ExitStack() as stack:
        stack.callback(_remove, parameters, study)
        own = stack.enter_context(site.own_namespace("study"))
        for manifest in driver_objects(own.namespace):
            apply(own.api, manifest, "minorkey-test")
        own.wait(lambda: own.has_account(TRIAL_ACCOUNT))
        extra: dict[str, Any] = {}
        if parameters.study_root:
            root = pod_root = f"{parameters.study_root}/{study}"
            extra["secrets"] = (_secret(own),)
        else:
            assert parameters.node_folder is not None
            shared = parameters.node_folder / study
            shared.mkdir(parents=True)
            # Pods run as the image's user, the driver as whoever runs the suite.
            shared.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
            stack.callback(_volume(own, shared))
            root, pod_root = str(shared), _MOUNT
            extra["study_volume"] = _CLAIM
        yield StudyPlace(
            site=own,
            kubeconfig=_kubeconfig(own, folder),
            root=root,
            pod_root=pod_root,
            pods=TrialPods(
                slots=parameters.slots,
                service_account=TRIAL_ACCOUNT,
                study_mount=_MOUNT,
                cpu=Profile(cpu=parameters.pod_cpu, memory=parameters.pod_memory, ephemeral_storage="1Gi"),
                environment={"OMP_NUM_THREADS": "1"},
                **extra,
            ),
            image=parameters.image,
        )


def _remove(parameters: Parameters, study: str) -> None:
    """Delete what a study has left under its root."""
    if parameters.node_folder is not None and not parameters.study_root:
        shutil.rmtree(parameters.node_folder / study, ignore_errors=True)
        return
    store, prefix = fsspec.url_to_fs(f"{parameters.study_root}/{study}")
    if store.exists(prefix):
        store.rm(prefix, recursive=True)


def _volume(site: Site, shared: Path) -> Any:
    """A claim of the namespace on a folder of the node; gives what deletes the volume."""
    name = f"{site.namespace}-folder"
    size = {"storage": "1Gi"}
    site.core.create_persistent_volume(
        {
            "metadata": {"name": name},
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteMany"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
                "claimRef": {"namespace": site.namespace, "name": _CLAIM},
                "hostPath": {"path": str(shared), "type": "Directory"},
            },
        }
    )
    spec = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "",
        "volumeName": name,
        "resources": {"requests": size},
    }
    site.core.create_namespaced_persistent_volume_claim(
        site.namespace, {"metadata": {"name": _CLAIM}, "spec": spec}
    )
    return lambda: site.core.delete_persistent_volume(name)


def _secret(site: Site) -> str:
    content = {name: os.environ[name] for name in _S3_VARIABLES if os.environ.get(name)}
    site.core.create_namespaced_secret(site.namespace, {"metadata": {"name": _SECRET}, "stringData": content})
    return _SECRET


def _kubeconfig(site: Site, folder: Path) -> Path:
    """A kubeconfig that holds a token of the driver's service account and nothing else."""
    driver: client.Configuration = site.as_account(DRIVER_ACCOUNT).configuration
    cluster: dict[str, Any] = {"server": driver.host, "insecure-skip-tls-verify": not driver.verify_ssl}
    if driver.ssl_ca_cert and driver.verify_ssl:
        authority = folder / "ca.crt"
        authority.write_bytes(Path(driver.ssl_ca_cert).read_bytes())
        cluster = {"server": driver.host, "certificate-authority": str(authority)}
    token = driver.api_key["authorization"].removeprefix("Bearer ")
    path = folder / "driver.yaml"
    path.touch(mode=0o600)
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": "driver", "user": {"token": token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "driver"}}],
            }
        )
    )
    return path
