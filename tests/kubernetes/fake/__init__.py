"""A fake Kubernetes cluster that keeps the API's semantics; the real client talks to it over HTTP.

::

    with FakeCluster(volumes={"studies": folder}) as cluster:
        kubernetes.config.load_kube_config(str(cluster.kubeconfig))

Jobs run their pods' commands as processes of this machine (`mounts` says how volumes are mapped), or, with
``run_pod=``, as a function plays them. What it does not imitate: networks and services, images' contents,
users inside containers, restarts of containers, init containers and pods of several containers.
A process in a pod is no first process: one that does not handle SIGTERM ends at once, not after its grace.
"""

from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.faults import Fault, Faults
from tests.kubernetes.fake.processes import SimulatedPod
from tests.kubernetes.fake.scheduler import Node

__all__ = ["FakeCluster", "Fault", "Faults", "Node", "SimulatedPod"]
