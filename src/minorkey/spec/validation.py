"""Checked content, or an error that names key, value and what is allowed."""

from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from minorkey.errors import SpecError
from minorkey.spec.accepted import accepted, keys_of, section_in
from minorkey.spec.section import Section

__all__ = ["validated"]


S = TypeVar("S", bound=Section)

#: What is wrong, by the beginning of the checking library's name for it.
_PROBLEMS = {
    "missing": "lacks a key that is required",
    "extra_forbidden": "has an unknown key",
    "greater_than": "has a number that is too small",
    "less_than": "has a number that is too large",
    "finite_number": "has a number that is not finite",
    "literal_error": "asks for what does not exist",
    "string_too_short": "has a text that is empty",
    "string_pattern_mismatch": "has a text of another form than is needed",
}
#: How the library marks the key, and not the value, of a mapping.
_KEY = "[key]"


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
        SpecError: with the key, the value, what is allowed and what to do.
    """
    try:
        return kind.model_validate(content)
    except SpecError as error:
        if not error.remedy:
            error.remedy = f"correct {error.key}; {remedy}"
        raise
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key, allowed = _place(kind, first["loc"])
        raise SpecError(
            f"{what} {_problem(first)}",
            key=key or "(the whole)",
            value=None if first["type"] in ("missing", "value_error") else first["input"],
            allowed=allowed,
            remedy=f"{_advice(first)}; {remedy}",
        ) from None


def _problem(fault: Any) -> str:
    if fault["type"] == "value_error":
        return f"does not fit: {fault['ctx']['error']}"
    found = (text for name, text in _PROBLEMS.items() if fault["type"].startswith(name))
    return next(found, "has a value of another kind than is needed")


def _advice(fault: Any) -> str:
    if fault["type"] == "missing":
        return "add the key"
    if fault["type"] == "extra_forbidden":
        return "correct the name, or leave the key out"
    if fault["type"] == "value_error":
        return "change one of the keys that the first line names"
    if fault["type"] == "string_type" and isinstance(fault["input"], int | float):
        return "put quotes around the value"
    return "correct the value"


def _place(kind: type[BaseModel], location: tuple[int | str, ...]) -> tuple[str, str]:
    """The dotted key at a location, and what the schema accepts there.

    The parts by which the checking library tells the members of a union apart are no part of the key.
    """
    parts: list[str] = []
    annotation: Any = kind
    words, description = accepted(kind), ""
    for position, part in enumerate(location):
        container = get_origin(annotation)
        section = None if container in (dict, tuple) else section_in(annotation)
        if section is not None:
            parts.append(str(part))
            field = section.model_fields.get(str(part))
            if field is None:
                return ".".join(parts), f"one of {keys_of(section)}"
            annotation, description = field.annotation, field.description or ""
            words = accepted(annotation, field.metadata, field.json_schema_extra)
            annotation = _without_nothing(annotation)
        elif container in (dict, tuple):
            parts.append(str(part))
            of_key = location[position + 1 : position + 2] == (_KEY,)
            entry = get_args(annotation)[1 if container is dict and not of_key else 0]
            words, annotation = accepted(entry), entry
            if of_key:
                break
        else:
            break
    return ".".join(parts), "; ".join(text for text in (words, description) if text)


def _without_nothing(annotation: Any) -> Any:
    """The type of an optional field without its ``None``, if one type is left."""
    options = [option for option in get_args(annotation) if option is not type(None)]
    return options[0] if type(None) in get_args(annotation) and len(options) == 1 else annotation
