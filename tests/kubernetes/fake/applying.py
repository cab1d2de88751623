"""Server-side apply: who owns which field, and what happens when somebody applies. Lists are owned whole."""

import copy
import json
from typing import Any

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.kinds import Kind

__all__ = ["apply", "owners_after_update"]

Path = tuple[str, ...]

_NOT_OWNED = {("kind",), ("apiVersion",)}
_UPDATE = "update"


def apply(kind: Kind, old: dict | None, content: dict, manager: str, force: bool) -> dict:
    """An object after somebody has applied what they want of it.

    Raises:
        ApiError: 409, another manager owns a field and wants it otherwise.
    """
    wanted = {key: value for key, value in content.items() if key != "status"}
    leaves = _leaves(wanted)
    owners = _owners(old)
    if old is None:
        result: dict = copy.deepcopy(wanted)
    else:
        result = copy.deepcopy(old)
        current = _leaves(old)
        disputed = _disputed(owners, manager, leaves, current)
        if disputed and not force:
            raise _refused(kind, content, disputed)
        for other, paths in owners.items():
            if other != manager:
                owners[other] = paths - {path for _, path in disputed}
        for path in owners.get(manager, set()) - set(leaves):
            if not any(path in paths for other, paths in owners.items() if other != manager):
                _remove(result, path)
        for path, value in leaves.items():
            _set(result, path, value)
    owners[manager] = set(leaves)
    result.setdefault("metadata", {})["managedFields"] = _managed(kind, owners, manager)
    return result


def owners_after_update(old: dict, new: dict) -> dict:
    """An object after a plain update, where somebody applied before: what changed is the updater's."""
    if not old["metadata"].get("managedFields"):
        return new
    owners = _owners(old)
    before, after = _leaves(old), _leaves(new)
    changed = {path for path, value in after.items() if before.get(path, _UPDATE) != value}
    changed = {path for path in changed if path[:2] != ("metadata", "managedFields") and path[0] != "status"}
    kept = {name: {path for path in paths if path in after} - changed for name, paths in owners.items()}
    if changed:
        kept[_UPDATE] = kept.get(_UPDATE, set()) | changed
    version = old["metadata"]["managedFields"][0]["apiVersion"]
    fields = [_entry(version, name, paths) for name, paths in kept.items() if paths]
    return {**new, "metadata": {**new["metadata"], "managedFields": fields}}


def _leaves(content: dict, path: Path = ()) -> dict[Path, Any]:
    found: dict[Path, Any] = {}
    for key, value in content.items():
        here = (*path, key)
        if here in _NOT_OWNED or here in {("metadata", "name"), ("metadata", "namespace")}:
            continue
        if isinstance(value, dict) and value:
            found.update(_leaves(value, here))
        else:
            found[here] = value
    return found


def _owners(content: dict | None) -> dict[str, set[Path]]:
    entries = ((content or {}).get("metadata") or {}).get("managedFields") or ()
    return {entry["manager"]: set(_paths(entry["fieldsV1"])) for entry in entries}


def _paths(fields: dict, path: Path = ()) -> list[Path]:
    found: list[Path] = []
    for key, below in fields.items():
        here = (*path, key.removeprefix("f:"))
        found += _paths(below, here) if below else [here]
    return found


def _disputed(
    owners: dict[str, set[Path]], manager: str, leaves: dict[Path, Any], current: dict[Path, Any]
) -> list[tuple[str, Path]]:
    return [
        (other, path)
        for other, paths in owners.items()
        for path, value in leaves.items()
        if other != manager and path in paths and current.get(path) != value
    ]


def _refused(kind: Kind, content: dict, disputed: list[tuple[str, Path]]) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{other}"',
            "field": "." + ".".join(path),
        }
        for other, path in disputed
    ]
    told = ", ".join(f'conflict with "{other}": .{".".join(path)}' for other, path in disputed)
    plural = "conflict" if len(disputed) == 1 else "conflicts"
    details = {"name": content["metadata"].get("name"), "kind": kind.plural, "causes": causes}
    return ApiError(409, "Conflict", f"Apply failed with {len(disputed)} {plural}: {told}", details)


def _managed(kind: Kind, owners: dict[str, set[Path]], manager: str) -> list[dict]:
    return [
        _entry(kind.api_version, name, paths) for name, paths in owners.items() if paths or name == manager
    ]


def _entry(version: str, manager: str, paths: set[Path]) -> dict:
    fields: dict = {}
    for path in sorted(paths):
        place = fields
        for part in path:
            place = place.setdefault(f"f:{part}", {})
    return {
        "manager": manager,
        "operation": "Update" if manager == _UPDATE else "Apply",
        "apiVersion": version,
        "fieldsType": "FieldsV1",
        "fieldsV1": json.loads(json.dumps(fields)),
    }


def _set(content: dict, path: Path, value: Any) -> None:
    for part in path[:-1]:
        below = content.get(part)
        content[part] = below = dict(below) if isinstance(below, dict) else {}
        content = below
    content[path[-1]] = value


def _remove(content: dict, path: Path) -> None:
    for part in path[:-1]:
        below = content.get(part)
        if not isinstance(below, dict):
            return
        content = below
    content.pop(path[-1], None)
