"""What the suite is told of the cluster that it runs against."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["OPTIONS", "Parameters"]

#: Option, default and meaning. `make test-cluster` passes them on from variables of the same names.
OPTIONS = {
    "image": ("", "image with minorkey and Python, already on the node"),
    "kube-context": ("", "context of the kubeconfig; default: the current one"),
    "study-root": ("", "s3://bucket/prefix that driver and pods reach; the AWS_ variables open it"),
    "node-folder": ("", "folder of the node that the driver shares: a study root without S3"),
    "slots": ("4", "trial pods at a time"),
    "trials": ("30", "trials of the study whose driver is killed"),
    "pod-cpu": ("250m", "cores of a trial pod"),
    "pod-memory": ("1Gi", "memory of a trial pod"),
    "wait": ("300", "seconds after which something that did not happen counts as missing"),
}


@dataclass(frozen=True)
class Parameters:
    """The options, read.

    Attributes:
        study_root: an ``s3://`` location, or empty.
        node_folder: a folder that this machine shares with the node, or None.
        patience: seconds.
    """

    image: str
    kube_context: str | None
    study_root: str
    node_folder: Path | None
    slots: int
    trials: int
    pod_cpu: str
    pod_memory: str
    patience: float

    @classmethod
    def of(cls, given: dict[str, str]) -> "Parameters":
        """Parameters from the text of each option."""
        return cls(
            image=given["image"],
            kube_context=given["kube-context"] or None,
            study_root=given["study-root"].rstrip("/"),
            node_folder=Path(given["node-folder"]) if given["node-folder"] else None,
            slots=int(given["slots"]),
            trials=int(given["trials"]),
            pod_cpu=given["pod-cpu"],
            pod_memory=given["pod-memory"],
            patience=float(given["wait"]),
        )
