"""Label and field selectors, as the API reads them."""

import re
from collections.abc import Callable

from tests.kubernetes.fake.answers import bad_request
from tests.kubernetes.fake.kinds import Kind

__all__ = ["field_selector", "label_selector", "selected_labels"]

Chosen = Callable[[dict], bool]

_SET = re.compile(r"^\s*([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_SPLIT = re.compile(r",(?![^(]*\))")

_FIELDS = {
    "pods": {"spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"},
    "jobs": {"status.successful"},
    "secrets": {"type"},
    "namespaces": {"status.phase"},
    "nodes": {"spec.unschedulable"},
    "events": {
        *(
            f"involvedObject.{part}"
            for part in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        ),
        "reason",
        "type",
        "reportingComponent",
    },
}


def label_selector(text: str) -> Chosen | None:
    """What an object must be to be chosen by its labels, None if all are.

    Raises:
        ApiError: 400, the selector cannot be read.
    """
    tests = [_label_test(part) for part in _SPLIT.split(text) if part.strip()]
    if not tests:
        return None
    return lambda obj: _all(tests, obj["metadata"].get("labels") or {})


def _all(tests: list[Callable[[dict], bool]], labels: dict) -> bool:
    return all(test(labels) for test in tests)


def _label_test(part: str) -> Callable[[dict], bool]:
    members = _SET.match(part)
    if members:
        key, operator, listed = members.groups()
        values = {value.strip() for value in listed.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    part = part.strip()
    for operator in ("!=", "==", "="):
        if operator in part:
            key, value = (side.strip() for side in part.split(operator, 1))
            if operator == "!=":
                return lambda labels: labels.get(key) != value
            return lambda labels: labels.get(key) == value
    if re.fullmatch(r"!\s*[\w./-]+", part):
        absent = part[1:].strip()
        return lambda labels: absent not in labels
    if not re.fullmatch(r"[\w./-]+", part):
        raise bad_request(f"unable to parse requirement: {part}")
    return lambda labels: part in labels


def field_selector(kind: Kind, text: str) -> Chosen | None:
    """What an object must be to be chosen by its fields, None if all are.

    Raises:
        ApiError: 400, the kind cannot be chosen by that field.
    """
    wanted: list[tuple[str, str, bool]] = []
    for part in filter(None, text.split(",")):
        unequal = "!=" in part
        field, _, value = part.partition("!=" if unequal else "=")
        field = field.strip()
        if field not in {"metadata.name", "metadata.namespace"} | _FIELDS.get(kind.plural, set()):
            raise bad_request(f"field label not supported: {field}")
        wanted.append((field, value.lstrip("=").strip(), unequal))
    if not wanted:
        return None
    return lambda obj: all((_field(obj, field) == value) != unequal for field, value, unequal in wanted)


def _field(obj: dict, path: str) -> str:
    if path == "status.successful":
        return str((obj.get("status") or {}).get("succeeded", 0))
    value: object = obj
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def selected_labels(selector: dict | None, labels: dict) -> bool:
    """Whether ``matchLabels`` and ``matchExpressions`` choose these labels."""
    selector = selector or {}
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions") or ():
        value, values = labels.get(rule["key"]), rule.get("values") or ()
        fits = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": rule["key"] in labels,
            "DoesNotExist": rule["key"] not in labels,
        }[rule["operator"]]
        if not fits:
            return False
    return True
