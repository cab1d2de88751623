"""Where the trials of a run take place: in worker processes here, or in pods of a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from minorkey.cluster.spec import ClusterSpec, load_cluster_spec
from minorkey.errors import SpecError
from minorkey.settings import settings
from minorkey.stores.database import require_database
from minorkey.trials.executor import Executor
from minorkey.trials.local import close_shared_pool, shared_pool
from minorkey.trials.study_root import StudyRoot, open_root

__all__ = ["Place", "open_place"]


@dataclass(frozen=True)
class Place:
    """What a study needs of where it takes place.

    Attributes:
        root: where trials and driver exchange files.
        executor: what runs trials.
    """

    root: StudyRoot
    executor: Executor


@contextmanager
def open_place(cluster: str, run_key: str, *, workers: int | None, folder: Path) -> Iterator[Place]:
    """Open the study root and the executor of a run.

    Args:
        cluster: a ClusterSpec as JSON; "": this machine.
        run_key: identity of the run; the same again after an interruption, and pods are taken over.
        workers: worker processes on this machine; None: one a core.
        folder: the study root of this machine where the settings name none.

    Raises:
        SpecError: the ClusterSpec is not valid, or names no image.
        StateError: the study root, the database or the cluster cannot be used.
    """
    if not cluster:
        yield Place(open_root(settings().study_root or str(folder)), shared_pool(workers))
        # Their CPU seconds count as this process's only once they have ended.
        close_shared_pool()
        return
    spec = load_cluster_spec(cluster)
    require_database()
    pod_root = f"{spec.stores.study_root.rstrip('/')}/{run_key}"
    root = open_root(settings().study_root or pod_root)
    executor = _pods(spec, root, run_key, pod_root)
    try:
        yield Place(root, executor)
    finally:
        executor.close()


def _pods(spec: ClusterSpec, root: StudyRoot, run_key: str, pod_root: str) -> Executor:
    # The client of the Kubernetes API comes with the extra "cluster" alone.
    from minorkey.trials.kubernetes.api import KubernetesApi
    from minorkey.trials.kubernetes.executor import KubernetesExecutor

    image = spec.trials.image or spec.image
    if image is None:
        raise SpecError(
            "the cluster specification names no image for trial pods",
            key="trials.image",
            allowed="an image that the cluster's nodes can pull, best by digest",
            remedy="set image or trials.image, or compile with --image",
        )
    return KubernetesExecutor(
        root, spec.trials, run_key, spec.trial_namespace, image, KubernetesApi(), pod_root=pod_root
    )
