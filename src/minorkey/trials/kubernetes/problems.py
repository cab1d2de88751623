"""What keeps trial pods from running, in plain words, with the remedy."""

import re
from dataclasses import dataclass
from typing import Any

from minorkey.errors import InputError

__all__ = ["Problem", "pod_problem", "suspended", "unfit"]

Manifest = dict[str, Any]

_IMAGE = {
    "ErrImagePull": "the image cannot be pulled",
    "ImagePullBackOff": "the image cannot be pulled",
    "InvalidImageName": "the image's name is not valid",
    "ErrImageNeverPull": "the image is not on the node, and the pull policy is Never",
    "ImageInspectError": "the image is damaged on the node",
    "RegistryUnavailable": "the image's registry cannot be reached",
}
_START = {
    "CreateContainerConfigError": "the pod refers to something that is not there",
    "CreateContainerError": "the container cannot be created",
    "RunContainerError": "the container cannot be started",
}


@dataclass(frozen=True)
class Problem:
    """Why a pod does not run.

    Attributes:
        kind: ``image``, ``start``, ``node``, ``refused``, ``quota`` or ``queue``.
        object: what is at fault, by kind and name.
        text: what is wrong, as one sentence.
        detail: what the platform said.
        remedy: what to do.
        hopeless: whether waiting cannot help.
    """

    kind: str
    object: str
    text: str
    detail: str
    remedy: str
    hopeless: bool = False

    def error(self) -> InputError:
        """The problem as an error: nothing can run."""
        return InputError(
            f"no trial pod can run: {self.text}", key=self.object, value=self.detail, remedy=self.remedy
        )


def pod_problem(pod: Manifest) -> Problem | None:
    """Why a pod that exists does not run yet, None if nothing is known to be wrong."""
    for status in pod.get("status", {}).get("containerStatuses") or []:
        waiting = status.get("state", {}).get("waiting") or {}
        reason, detail = waiting.get("reason", ""), waiting.get("message", "")
        if reason in _IMAGE:
            return _image_problem(status.get("image") or _image(pod), reason, detail)
        if reason in _START:
            return Problem(
                "start",
                f"pod {pod['metadata']['name']}",
                _START[reason],
                detail or reason,
                "create what is missing (trials.secrets, trials.study_volume), or correct the cluster "
                "specification",
            )
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _node_problem(pod, condition)
    return None


def suspended(job: Manifest, queue: str) -> Problem | None:
    """Whether a Job waits in a queue."""
    if not job.get("spec", {}).get("suspend"):
        return None
    return Problem(
        "queue",
        f"LocalQueue {queue}" if queue else f"Job {job['metadata']['name']}",
        "the job is suspended until its queue admits it",
        "spec.suspend is true",
        "wait, or see kubectl get workloads for what the queue lacks",
    )


def unfit(name: str, words: str) -> InputError:
    """The error of pods whose program fails before it has run anything.

    Args:
        name: the pod's.
        words: the end of its log; what `InputError` prints is taken apart again.
    """
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    said = {label: text.strip() for label, _, text in (line.partition(":") for line in lines)}
    return InputError(
        f"trial pods cannot work: {said.get('error') or (lines[-1] if lines else 'no reason given')}",
        key=said.get("where") or f"pod {name}",
        value=said.get("found") or f"the end of the log of pod {name}: {' '.join(lines)}",
        remedy=said.get("remedy") or "check the image, and what trials.environment and trials.secrets set",
    )


def _image_problem(image: str, reason: str, detail: str) -> Problem:
    return Problem(
        "image",
        f"image {image}",
        _IMAGE[reason],
        detail or reason,
        "correct the image's name and digest (`minorkey compile --image`, trials.image), push it, or give "
        f"the ServiceAccount of trial pods a pull secret for its registry ({reason})",
        hopeless=reason == "InvalidImageName",
    )


def _node_problem(pod: Manifest, condition: Manifest) -> Problem:
    detail = condition.get("message", "")
    if condition.get("reason") == "SchedulingGated":
        return Problem(
            "queue", _pod_name(pod), "the pod is held back by a scheduling gate", detail, "wait for its queue"
        )
    missing = re.findall(r"Insufficient ([\w./-]*\w)", detail)
    if any("/" in name for name in missing):
        text = f"no node has a free GPU ({', '.join(dict.fromkeys(missing))})"
        remedy = (
            "add a GPU node with its device plugin, free one, or correct gpu_resource, node_selector and "
            "tolerations of trials.gpu; without trials.gpu these trials run on CPUs"
        )
    elif "affinity/selector" in detail or "node selector" in detail:
        text, remedy = (
            "no node has the labels that the pods ask for",
            "correct node_selector in trials.cpu or trials.gpu",
        )
    elif "taint" in detail and not missing:
        text, remedy = (
            "every suitable node has a taint that the pods do not tolerate",
            ("add tolerations in trials.cpu or trials.gpu"),
        )
    elif "persistentvolumeclaim" in detail or "volume" in detail:
        text, remedy = "the study's volume cannot be mounted", "create the claim named in trials.study_volume"
    else:
        text = f"no node has room ({', '.join(dict.fromkeys(missing)) or 'see below'})"
        remedy = "ask for less in trials.cpu, add nodes, or wait until others have finished"
    return Problem("node", _pod_name(pod), text, detail, remedy)


def _image(pod: Manifest) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _pod_name(pod: Manifest) -> str:
    return f"pod {pod['metadata']['name']}"
