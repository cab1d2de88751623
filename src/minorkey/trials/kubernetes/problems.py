"""What keeps trial pods from running, in plain words, with the remedy."""

import re
from dataclasses import dataclass
from typing import Any

from minorkey.cluster.quantities import parse_quantity
from minorkey.errors import InputError, StateError

__all__ = ["Problem", "event_problem", "pod_problem", "refusal", "suspended", "unfit", "unreachable"]

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


def event_problem(event: Manifest, namespace: str) -> Problem | None:
    """Why a Job's pod was not created, from an event that says so."""
    if event.get("reason") != "FailedCreate":
        return None
    return _creation_problem(event.get("message", ""), f"Job {event['involvedObject']['name']}", namespace)


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


def refusal(status: int, message: str, *, verb: str, what: str, namespace: str, server: str) -> Problem:
    """Why the API refused a call.

    Args:
        status: HTTP status, 0 if there was no answer.
        message: what it said.
        verb: what was asked for: ``create``, ``list`` ...
        what: of which kind of object, with its group: ``jobs.batch``.
        namespace: where.
        server: address of the API.
    """
    if status == 401:
        return Problem(
            "refused",
            f"API server {server}",
            "the API does not accept this identity: its token has expired or is not valid",
            message,
            "log in again (or renew the token in the kubeconfig), and run the same command again: it goes on",
            hopeless=True,
        )
    if status == 403 and re.search(rf"cannot {verb} resource", message):
        return Problem(
            "refused",
            f"namespace {namespace}",
            f"this identity may not {verb} {what} there",
            message,
            f"bind a Role that allows {verb} on {what} in namespace {namespace} to it; `minorkey doctor` "
            "lists every right that is needed",
            hopeless=True,
        )
    if status == 404 or (status == 403 and "namespace" in message and "terminated" in message):
        return Problem(
            "refused",
            f"namespace {namespace}",
            "the namespace does not exist, or is being deleted",
            message,
            "create it, or correct `namespace` (or trials.namespace) in the cluster specification",
            hopeless=True,
        )
    if status in (403, 422, 400):
        return _creation_problem(message, f"{what} in namespace {namespace}", namespace)
    return Problem(
        "refused",
        f"API server {server}",
        "the API cannot be reached or does not work",
        message or f"HTTP status {status}",
        "check the address in the kubeconfig and the network, and run the same command again: it goes on",
        hopeless=True,
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


def unreachable(server: str, message: str, seconds: float) -> StateError:
    """The error of an API that has not answered for so long."""
    return StateError(
        f"the Kubernetes API has not answered for {seconds:.0f} s",
        key=f"API server {server}",
        value=message,
        remedy="check the address in the kubeconfig and the network, and run the same command again: trials "
        "that went on meanwhile are taken over",
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


def _creation_problem(message: str, what: str, namespace: str) -> Problem:
    quota = re.search(r"exceeded quota: ([^,\s]+), requested: (.+?), used: (.+?), limited: (.+)$", message)
    if quota:
        name, requested, limited = quota.group(1), quota.group(2), quota.group(4)
        over = _beyond(requested, limited)
        text = f"one pod asks for more than the quota has in all ({over})" if over else "the quota is used up"
        remedy = (
            "ask for less in trials.cpu or trials.gpu, or raise the quota"
            if over
            else "wait, or raise the quota"
        )
        where = f"ResourceQuota {name} in namespace {namespace}"
        return Problem("quota", where, text, message, remedy, hopeless=bool(over))
    if "failed quota" in message and "must specify" in message:
        remedy = "name that resource in trials.cpu and trials.gpu, or leave it out of the quota"
        return Problem(
            "refused", what, "the quota asks for a resource that the pods do not name", message, remedy, True
        )
    if "PodSecurity" in message:
        remedy = (
            "the pods keep to the `restricted` level: see what the message names, or use another namespace"
        )
        return Problem("refused", what, "Pod Security does not admit the pod", message, remedy, True)
    if "serviceaccount" in message and "not found" in message:
        remedy = "create the ServiceAccount that trials.service_account names"
        return Problem("refused", what, "the ServiceAccount of trial pods does not exist", message, remedy)
    if "maximum" in message or "minimum" in message:
        remedy = "ask for what the LimitRange of the namespace allows"
        return Problem("refused", what, "a LimitRange does not admit the pod", message, remedy, True)
    if "priority class" in message.lower() or "PriorityClass" in message:
        remedy = "create it, or correct priority_class in trials.cpu or trials.gpu"
        return Problem(
            "refused", what, "the PriorityClass of trial pods does not exist", message, remedy, True
        )
    return Problem(
        "refused",
        what,
        "admission refused it",
        message,
        "change what the message names in the cluster specification, or ask who keeps the cluster's policies",
        hopeless=True,
    )


def _beyond(requested: str, limited: str) -> str:
    """Which requested amounts exceed the whole quota, such as ``requests.cpu=2 of 1``."""
    asked, most = _amounts(requested), _amounts(limited)
    over = [
        f"{name}={amount} of {most[name]}"
        for name, amount in asked.items()
        if name in most and parse_quantity(amount) > parse_quantity(most[name])
    ]
    return ", ".join(over)


def _amounts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.strip().split(",") if "=" in part)


def _image(pod: Manifest) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _pod_name(pod: Manifest) -> str:
    return f"pod {pod['metadata']['name']}"
