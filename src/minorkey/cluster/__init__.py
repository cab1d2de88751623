"""The cluster that a run is compiled for: its specification, and the doctor that looks at it."""

from minorkey.cluster.serving import GitOpsServing, KServeServing, Serving
from minorkey.cluster.spec import (
    ClusterSpec,
    Profile,
    ServiceAccounts,
    StepResources,
    Stores,
    Toleration,
    TrialPods,
    load_cluster_spec,
)

__all__ = [
    "ClusterSpec",
    "GitOpsServing",
    "KServeServing",
    "Profile",
    "ServiceAccounts",
    "Serving",
    "StepResources",
    "Stores",
    "Toleration",
    "TrialPods",
    "load_cluster_spec",
]
