"""What the API refuses, in plain words, with the remedy."""

import re
from typing import Any

from minorkey.cluster.quantities import parse_quantity
from minorkey.errors import StateError
from minorkey.trials.kubernetes.problems import Problem

__all__ = ["event_problem", "refusal", "unreachable"]

Manifest = dict[str, Any]


def event_problem(event: Manifest, namespace: str) -> Problem | None:
    """Why a Job's pod was not created, from an event that says so."""
    if event.get("reason") != "FailedCreate":
        return None
    return _creation_problem(event.get("message", ""), f"Job {event['involvedObject']['name']}", namespace)


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


def unreachable(server: str, message: str, seconds: float) -> StateError:
    """The error of an API that has not answered for so long."""
    return StateError(
        f"the Kubernetes API has not answered for {seconds:.0f} s",
        key=f"API server {server}",
        value=message,
        remedy="check the address in the kubeconfig and the network, and run the same command again: trials "
        "that went on meanwhile are taken over",
    )


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
