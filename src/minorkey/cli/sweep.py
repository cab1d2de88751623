"""``minorkey sweep``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["sweep_command"]


def sweep_command(
    *,
    namespace: str,
    kubeconfig: Path | None = None,
    patience: float = 1_800.0,
    age: float = 172_800.0,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Delete trial Jobs on a cluster whose driver is gone.

    Pods that run end themselves ten minutes after their driver; this removes what never ran. It reads the
    drivers' heartbeats from the study roots, so it runs where those can be read: in a CronJob that mounts
    the study volume, or with the bucket's credentials.

    Example: `minorkey sweep --namespace minorkey-trials --dry-run`

    Parameters
    ----------
    namespace
        Namespace of the trial pods.
    kubeconfig
        Path of a kubeconfig. Default: the pod's own ServiceAccount, or KUBECONFIG.
    patience
        Seconds without a heartbeat after which a driver is gone.
    age
        Seconds after which a Job goes whose study root cannot be read.
    dry_run
        Only tell what would be deleted.
    """
    from minorkey.trials.kubernetes.api import KubernetesApi
    from minorkey.trials.kubernetes.sweeper import sweep

    swept = sweep(KubernetesApi(kubeconfig), namespace, patience=patience, age=age, dry_run=dry_run)
    for name in swept:
        print(name)
    print(f"{len(swept)} Jobs {'would be' if dry_run else 'were'} deleted in namespace {namespace}")
