"""Patches: merge, strategic merge and JSON patch."""

import copy
from typing import Any

from tests.kubernetes.fake.answers import ApiError, bad_request

__all__ = ["json_patch", "merge_patch", "strategic_merge"]

#: By which key the elements of a list are told apart, where a strategic merge does so.
_MERGE_KEYS = {
    "conditions": "type",
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "ownerReferences": "uid",
    "imagePullSecrets": "name",
    "secrets": "name",
}
#: Lists of plain values that a strategic merge joins.
_JOINED = {"finalizers"}


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_merge(target: Any, patch: Any) -> Any:
    """As `merge_patch`, but known lists merge by the key of their elements."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
        elif isinstance(value, list):
            result[key] = _merge_list(key, result.get(key) or [], value)
        else:
            result[key] = strategic_merge(result.get(key), value)
    return result


def _merge_list(key: str, target: list, patch: list) -> list:
    if key in _JOINED:
        return target + [value for value in patch if value not in target]
    name = _MERGE_KEYS.get(key)
    if name is None or not all(isinstance(value, dict) for value in patch):
        return copy.deepcopy(patch)
    result = list(target)
    for value in patch:
        places = [place for place, old in enumerate(result) if old.get(name) == value.get(name)]
        if value.get("$patch") == "delete":
            result = [old for place, old in enumerate(result) if place not in places]
        elif places:
            result[places[0]] = strategic_merge(result[places[0]], value)
        else:
            result.append(copy.deepcopy(value))
    return result


def json_patch(target: Any, operations: list) -> Any:
    """RFC 6902.

    Raises:
        ApiError: 422, a test fails or a path does not exist.
    """
    result = copy.deepcopy(target)
    for operation in operations:
        name = operation["op"]
        if name in ("move", "copy"):
            value = copy.deepcopy(_look(result, operation["from"]))
            if name == "move":
                _change(result, operation["from"], "remove", None)
            _change(result, operation["path"], "add", value)
        elif name == "test":
            if _look(result, operation["path"]) != operation["value"]:
                raise _failed(f"testing path {operation['path']} failed")
        elif name in ("add", "replace", "remove"):
            _change(result, operation["path"], name, operation.get("value"))
        else:
            raise bad_request(f"Unexpected kind: {name}")
    return result


def _parts(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _look(target: Any, path: str) -> Any:
    for part in _parts(path):
        try:
            target = target[int(part)] if isinstance(target, list) else target[part]
        except (LookupError, ValueError, TypeError) as error:
            raise _failed(f"path {path} does not exist") from error
    return target


def _change(target: Any, path: str, operation: str, value: Any) -> None:
    *way, last = _parts(path)
    parent = _look(target, "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in way))
    if isinstance(parent, list):
        _change_list(parent, last, operation, value)
    elif operation == "add":
        parent[last] = value
    elif last not in parent:
        raise _failed(f"path {path} does not exist")
    elif operation == "remove":
        del parent[last]
    else:
        parent[last] = value


def _change_list(parent: list, last: str, operation: str, value: Any) -> None:
    place = len(parent) if last == "-" else int(last)
    if operation == "add":
        parent.insert(place, value)
    elif place >= len(parent):
        raise _failed(f"index {last} is out of bounds")
    elif operation == "remove":
        del parent[place]
    else:
        parent[place] = value


def _failed(problem: str) -> ApiError:
    return ApiError(
        422, "Invalid", f"the server rejected our request due to an error in our request: {problem}"
    )
