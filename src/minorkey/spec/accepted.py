"""What a field accepts, in words that need no knowledge of the library that checks it."""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["accepted", "keys_of", "section_in"]

_SCALARS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", Any: "any value"}


def accepted(annotation: Any, constraints: Iterable[Any] = (), extra: Any = None) -> str:
    """What a type with its bounds takes: ``a whole number from 1 to 100,000``.

    Args:
        annotation: the type of a field, of a list's entries or of a mapping's values.
        constraints: its bounds, lengths and patterns, as ``FieldInfo.metadata`` holds them.
        extra: what the field adds to its JSON schema; a ``format`` there says in words what a pattern means.
    """
    if get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        fields = [note for note in notes if isinstance(note, FieldInfo)]
        inner = [*constraints, *(bound for field in fields for bound in field.metadata)]
        extra = next((field.json_schema_extra for field in fields if field.json_schema_extra), extra)
        return accepted(annotation, inner, extra)
    if get_origin(annotation) in (Union, UnionType):
        return _one_of_types(get_args(annotation), constraints, extra)
    if get_origin(annotation) is Literal:
        return _choice([str(value) or '""' for value in get_args(annotation)])
    if get_origin(annotation) is tuple:
        entry = accepted(get_args(annotation)[0])
        return "a list of texts" if entry == "a text" else f"a list of entries, each {entry}"
    if get_origin(annotation) is dict:
        return _mapping(*get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a mapping with keys among {keys_of(annotation)}"
    if annotation is str:
        return _text(constraints, extra)
    return _SCALARS[annotation] + _range(constraints, whole=annotation is int)


def keys_of(section: type[BaseModel]) -> str:
    """The keys of a section, in alphabetical order."""
    return ", ".join(sorted(section.model_fields))


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds: as itself, or optional, or as the values of a mapping or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (section_in(argument) for argument in get_args(annotation))
    return next((section for section in inner if section is not None), None)


def _one_of_types(options: tuple[Any, ...], constraints: Iterable[Any], extra: Any) -> str:
    named = [option for option in options if option is not type(None)]
    if {int, float} <= set(named):
        named.remove(int)
    text = _choice([accepted(option, constraints, extra) for option in named])
    return f"{text}, or nothing" if type(None) in options else text


def _mapping(key: Any, value: Any) -> str:
    keys = f"with keys among {accepted(key)}" if get_origin(key) is Literal else "of names"
    return f"a mapping {keys}, each with {accepted(value)}"


def _choice(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _text(constraints: Iterable[Any], extra: Any) -> str:
    if isinstance(extra, Mapping) and "format" in extra:
        return f"a {extra['format']}"
    pattern = _bound(constraints, "pattern")
    if pattern is not None:
        return f"a text of the form {pattern}"
    return "a text that is not empty" if _bound(constraints, "min_length") else "a text"


def _range(constraints: Iterable[Any], *, whole: bool) -> str:
    least, most = _bound(constraints, "ge"), _bound(constraints, "le")
    if least is not None and most is not None:
        return f" from {_number(least, whole)} to {_number(most, whole)}"
    named = (("ge", "of at least"), ("gt", "above"), ("le", "of at most"), ("lt", "below"))
    found = ((words, _bound(constraints, name)) for name, words in named)
    texts = [f"{words} {_number(bound, whole)}" for words, bound in found if bound is not None]
    return " " + " and ".join(texts) if texts else ""


def _number(bound: float, whole: bool) -> str:
    return f"{bound:,}" if whole else f"{bound:g}"


def _bound(constraints: Iterable[Any], name: str) -> Any:
    values = (getattr(constraint, name, None) for constraint in constraints)
    return next((value for value in values if value is not None), None)
