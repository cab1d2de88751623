"""Whether an object has the fields of its kind, told by the client's own models."""

import functools
import re
from typing import Any

from kubernetes.client import models

from tests.kubernetes.fake.answers import bad_request
from tests.kubernetes.fake.kinds import Kind
from tests.kubernetes.fake.quantity import quantity

__all__ = ["unknown_fields"]


def unknown_fields(kind: Kind, content: dict) -> list[str]:
    """Paths of fields that the kind does not have. Kinds without a model have every field.

    Raises:
        ApiError: 400, a field holds something of the wrong type.
    """
    if kind.plural == "events":
        return []
    model = _model(kind)
    if model is None:
        return []
    return list(_walk(content, model, "", kind))


def _model(kind: Kind) -> str | None:
    name = f"V1{kind.name}"
    return name if hasattr(models, name) else None


@functools.cache
def _fields(model: str) -> dict[str, str]:
    described = getattr(models, model)
    return {
        described.attribute_map[attribute]: type_name
        for attribute, type_name in described.openapi_types.items()
    }


def _walk(value: Any, type_name: str, path: str, kind: Kind) -> Any:
    if value is None or type_name in ("object", "datetime"):
        return
    listed = re.fullmatch(r"list\[(.+)\]", type_name)
    mapped = re.fullmatch(r"dict\(str, (.+)\)", type_name)
    if listed:
        _expect(isinstance(value, list), value, "[]", path, kind)
        for place, element in enumerate(value):
            yield from _walk(element, listed[1], f"{path}[{place}]", kind)
    elif mapped:
        _expect(isinstance(value, dict), value, "map", path, kind)
        for key, element in value.items():
            yield from _walk(element, mapped[1], f"{path}.{key}", kind)
    elif hasattr(models, type_name):
        _expect(isinstance(value, dict), value, type_name, path, kind)
        fields = _fields(type_name)
        for key, element in value.items():
            where = f"{path}.{key}".lstrip(".")
            if key not in fields:
                yield where
            else:
                yield from _walk(element, fields[key], where, kind)
    elif type_name == "str":
        # Quantities may be numbers.
        fits = isinstance(value, str) or (_is_quantity(path) and isinstance(value, int | float))
        _expect(fits, value, "string", path, kind)
        if _is_quantity(path):
            _expect_quantity(value, kind)
    elif type_name == "int":
        _expect(isinstance(value, int) and not isinstance(value, bool), value, "int32", path, kind)
    elif type_name == "bool":
        _expect(isinstance(value, bool), value, "bool", path, kind)


def _expect_quantity(value: Any, kind: Kind) -> None:
    try:
        quantity(value)
    except ValueError as error:
        raise bad_request(
            f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: quantities must '
            "match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ) from error


def _is_quantity(path: str) -> bool:
    return bool(
        re.search(r"\.(limits|requests|hard|capacity|allocatable|used|sizeLimit|overhead)(\.|$)", path)
    )


def _expect(fits: bool, value: Any, wanted: str, path: str, kind: Kind) -> None:
    if fits:
        return
    came = {str: "string", bool: "bool", int: "number", float: "number", dict: "object", list: "array"}
    raise bad_request(
        f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: json: cannot unmarshal '
        f"{came[type(value)]} into Go struct field {path} of type {wanted}"
    )
