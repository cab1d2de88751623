"""What happens to an object on its way in: fields checked, defaults filled in, rules and quotas applied."""

import base64
import copy

from tests.kubernetes.fake.answers import forbidden, invalid
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.pod_security import violations
from tests.kubernetes.fake.pods import pod_defaults, pod_problems
from tests.kubernetes.fake.quota import check_quota

__all__ = ["admit"]


def admit(objects: Objects, kind: Kind, content: dict, old: dict | None) -> None:
    """Change the object into what is stored, or refuse it.

    Raises:
        ApiError: 403 or 422.
    """
    if kind.plural == "pods":
        _admit_pod(objects, kind, content, old)
    elif kind.plural == "jobs":
        _admit_job(objects, kind, content, old)
    elif kind.plural == "namespaces":
        content.setdefault("spec", {"finalizers": ["kubernetes"]})
        content.setdefault("status", {"phase": "Active"})
        labels = content["metadata"].setdefault("labels", {}) or {}
        content["metadata"]["labels"] = {**labels, "kubernetes.io/metadata.name": content["metadata"]["name"]}
    elif kind.plural == "customresourcedefinitions" and old is None:
        objects.kinds.define(content)
    elif kind.plural == "secrets":
        _admit_secret(content)
    if old is None and kind.namespaced and kind.plural != "events":
        check_quota(objects.store, kind, content)


def _admit_secret(content: dict) -> None:
    plain = content.pop("stringData", None) or {}
    content.setdefault("type", "Opaque")
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        content["data"] = {**(content.get("data") or {}), **encoded}


def _admit_pod(objects: Objects, kind: Kind, content: dict, old: dict | None) -> None:
    metadata, spec = content["metadata"], content.get("spec") or {}
    if old is not None:
        if _frozen(spec) != _frozen(old["spec"]):
            raise invalid(kind, metadata["name"], ("spec", "Forbidden: pod updates may not change fields"))
        return
    problems = pod_problems(spec, "spec")
    if problems:
        raise invalid(kind, metadata["name"], *problems)
    content["spec"] = spec = pod_defaults(spec)
    account = spec.setdefault("serviceAccountName", "default")
    if objects.store.get(kind_of("serviceaccounts"), metadata["namespace"], account) is None:
        looked_up = f"error looking up service account {metadata['namespace']}/{account}"
        problem = f'{looked_up}: serviceaccount "{account}" not found'
        raise forbidden(kind, metadata["name"], problem)
    priority = spec.get("priorityClassName", "")
    known = priority.startswith("system-") or objects.store.get(kind_of("priorityclasses"), "", priority)
    if priority and not known:
        raise forbidden(kind, metadata["name"], f"no PriorityClass with name {priority} was found")
    level = _security_level(objects, metadata["namespace"])
    found = violations(spec, level)
    if found:
        raise forbidden(kind, metadata["name"], f'violates PodSecurity "{level}:latest": {", ".join(found)}')
    content["status"] = {"phase": "Pending", "qosClass": "Burstable"}


def _frozen(spec: dict) -> dict:
    """The part of a pod's spec that cannot be changed."""
    spec = copy.deepcopy(spec)
    for key in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"):
        spec.pop(key, None)
    for container in spec.get("containers") or ():
        container.pop("image", None)
    return spec


def _security_level(objects: Objects, namespace: str) -> str:
    found = objects.store.content(kind_of("namespaces"), "", namespace) or {"metadata": {}}
    return (found["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce", "privileged")


def _admit_job(objects: Objects, kind: Kind, content: dict, old: dict | None) -> None:
    metadata, spec = content["metadata"], content.get("spec") or {}
    name = metadata["name"]
    if old is not None:
        for field in ("template", "selector", "completions", "podFailurePolicy"):
            same = spec.get(field) == old["spec"].get(field)
            if not same and not (field == "template" and old["spec"].get("suspend")):
                raise invalid(kind, name, (f"spec.{field}", "Invalid value: field is immutable"))
        return
    problems = _job_problems(name, spec)
    if problems:
        raise invalid(kind, name, *problems)
    labels = {
        "batch.kubernetes.io/controller-uid": metadata["uid"],
        "batch.kubernetes.io/job-name": name,
        "controller-uid": metadata["uid"],
        "job-name": name,
    }
    template = dict(spec["template"])
    template_metadata = dict(template.get("metadata") or {})
    template_metadata["labels"] = {**(template_metadata.get("labels") or {}), **labels}
    template["metadata"] = template_metadata
    template["spec"] = pod_defaults(template["spec"])
    metadata.setdefault("labels", {})
    content["spec"] = {
        "backoffLimit": 6,
        "parallelism": 1,
        "completions": 1,
        "completionMode": "NonIndexed",
        "manualSelector": False,
        "suspend": False,
        "podReplacementPolicy": "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
        **spec,
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": metadata["uid"]}},
        "template": template,
    }
    content["status"] = {}


def _job_problems(name: str, spec: dict) -> list[tuple[str, str]]:
    template = (spec.get("template") or {}).get("spec") or {}
    problems = pod_problems(template, "spec.template.spec")
    if len(name) > 63:
        problems.append(("spec.template.labels", f'Invalid value: "{name}": must be no more than 63 bytes'))
    if template.get("restartPolicy") not in ("Never", "OnFailure"):
        problems.append(
            ("spec.template.spec.restartPolicy", 'Required value: valid values: "OnFailure", "Never"')
        )
    if template.get("restartPolicy") == "OnFailure":
        problems.append(
            ("spec.template.spec.restartPolicy", "Invalid value: the fake restarts no containers")
        )
    for field in ("backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "parallelism"):
        if (spec.get(field) or 0) < 0:
            problems.append((f"spec.{field}", "Invalid value: must be greater than or equal to 0"))
    for place, rule in enumerate((spec.get("podFailurePolicy") or {}).get("rules") or ()):
        path = f"spec.podFailurePolicy.rules[{place}]"
        if rule.get("action") not in ("Ignore", "FailJob", "Count", "FailIndex"):
            problems.append((f"{path}.action", f"Unsupported value: {rule.get('action')!r}"))
        if bool(rule.get("onExitCodes")) == bool(rule.get("onPodConditions")):
            problems.append((path, "Invalid value: one of onExitCodes and onPodConditions is needed"))
        if (
            0 in ((rule.get("onExitCodes") or {}).get("values") or ())
            and rule["onExitCodes"]["operator"] == "In"
        ):
            problems.append(
                (f"{path}.onExitCodes.values", "Invalid value: 0: must not be 0 for the In operator")
            )
    if spec.get("managedBy") or spec.get("completionMode") == "Indexed":
        problems.append(("spec", "Invalid value: the fake knows no managedBy and no Indexed completion"))
    return problems
