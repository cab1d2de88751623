"""Checked content, or an error that names key, value and what is allowed."""

from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from minorkey.errors import SpecError
from minorkey.spec.section import Section

__all__ = ["validated"]


S = TypeVar("S", bound=Section)


def validated(
    kind: type[S],
    content: Any,
    *,
    what: str = "the specification",
    remedy: str = "see `minorkey schema` for every key",
) -> S:
    """Content as a section, or the first thing that does not fit.

    Args:
        kind: the section.
        content: mappings, lists and scalars as YAML or JSON give them.
        what: what the messages call it.
        remedy: what the messages advise.

    Raises:
        SpecError: with the key, the value and what is allowed.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "(the combination of keys)"
        raise SpecError(
            f"{what} has an unknown key"
            if first["type"] == "extra_forbidden"
            else f"{what} does not fit: {first['msg']}",
            key=key,
            value=first["input"] if first["loc"] and first["type"] != "missing" else None,
            allowed=_allowed(kind, first["loc"]),
            remedy=remedy,
        ) from None


def _allowed(kind: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """What the schema accepts at a location: the keys of a section, or a field's type and bounds."""
    current: type[BaseModel] = kind
    parts = iter(location)
    for part in parts:
        field = current.model_fields.get(str(part))
        if field is None:
            return "one of " + ", ".join(sorted(current.model_fields))
        inner = _section_in(field.annotation)
        if inner is not None:
            if get_origin(field.annotation) in (dict, tuple):
                next(parts, None)
            current = inner
            continue
        bounds = ", ".join(str(bound) for bound in field.metadata)
        description = field.description or ""
        return "; ".join(text for text in (_type_name(field.annotation), bounds, description) if text)
    return ""


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds: as itself, or optional, or as the values of a mapping or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_section_in(argument) for argument in get_args(annotation))
    return next((section for section in inner if section is not None), None)


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
