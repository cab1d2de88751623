"""The environment of a container: values, references to secrets and fields, and ``$(NAME)``."""

import base64
import re

from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.fake.quantity import plain, quantity
from tests.kubernetes.fake.store import Store

__all__ = ["ConfigError", "container_environment", "expanded"]


class ConfigError(Exception):
    """The container cannot be configured, for now: CreateContainerConfigError."""


def container_environment(store: Store, pod: dict) -> dict[str, str]:
    """The variables that a pod's container is given.

    Raises:
        ConfigError: a Secret, ConfigMap or key is missing.
    """
    container = pod["spec"]["containers"][0]
    found: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for plural, key in (("secrets", "secretRef"), ("configmaps", "configMapRef")):
            if key in source:
                values = _values(store, pod, plural, source[key]) or {}
                found.update({source.get("prefix", "") + name: value for name, value in values.items()})
    for variable in container.get("env") or ():
        value = _value(store, pod, variable)
        if value is not None:
            found[variable["name"]] = expanded(value, found)
    return found


def expanded(text: str, values: dict[str, str]) -> str:
    """A text with ``$(NAME)`` replaced where the name is known."""
    return re.sub(r"\$\(([\w.-]+)\)", lambda match: values.get(match[1], match[0]), text)


def _values(store: Store, pod: dict, plural: str, reference: dict) -> dict[str, str] | None:
    found = store.content(kind_of(plural), pod["metadata"]["namespace"], reference["name"])
    if found is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{plural.removesuffix("s")} "{reference["name"]}" not found')
    data = found.get("data") or {}
    if plural == "configmaps":
        return data
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def _value(store: Store, pod: dict, variable: dict) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return variable.get("value") or ""
    for plural, key in (("secrets", "secretKeyRef"), ("configmaps", "configMapKeyRef")):
        if key in source:
            values = _values(store, pod, plural, source[key])
            value = (values or {}).get(source[key]["key"])
            if value is None and not source[key].get("optional"):
                raise ConfigError(f"couldn't find key {source[key]['key']} in {source[key]['name']}")
            return value
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    side, _, resource = source["resourceFieldRef"]["resource"].partition(".")
    amount = ((pod["spec"]["containers"][0].get("resources") or {}).get(side) or {}).get(resource, "0")
    return plain(quantity(amount))


def _field(pod: dict, path: str) -> str:
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if keyed:
        return (pod["metadata"].get(keyed[1]) or {}).get(keyed[2], "")
    if path == "status.hostIP":
        return "127.0.0.1"
    value: object = pod
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value)
