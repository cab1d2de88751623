"""Every message of bad input says in plain words what is allowed and what to do."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from minorkey.cluster.spec import ClusterSpec, load_cluster_spec
from minorkey.errors import SpecError
from minorkey.spec import RunSpec, with_overrides
from minorkey.spec.accepted import section_in

SOURCES = Path(__file__).parents[1] / "src/minorkey"
KINDS = {"InputError", "SpecError", "DataError", "BundleError", "StateError"}
#: Parts in which a SpecError is about the user's keys and has to say both. Elsewhere it is about an argument
#: of a function, or passes through `validated`, which adds what to do.
OF_KEYS = ("spec", "cli", "cluster", "models", "resampling", "search", "form.py")
#: It is about what the trials met, and not about a value that could have been another.
NOTHING_TO_ALLOW = {"none of {} trials was completed"}

PYDANTIC = re.compile(
    r"\b(Ge|Le|Gt|Lt|MinLen|MaxLen|FieldInfo|Literal|Optional|Union|Annotated|NoneType|tuple|dict)\b"
    r"|\b(ge|gt|le|lt)=|Value error|Input should|Field required|String should|[Vv]alid (string|integer)"
    r"|[a-z]+_(type|parsing|error|forbidden)\b|pydantic|typing\.|validation error|\[key\]"
)
STORES = {
    "study_root": "s3://a/study",
    "bundle_root": "s3://a/bundles",
    "tracking_uri": "http://mlflow:5000",
}


#: What each place to serve at cannot do without.
PLACES_TO_SERVE = {"kserve": {"image": "predictor"}, "gitops": {"repository": "git@git.test:models.git"}}


@cache
def constructed() -> list[tuple[str, str, str, set[str | None]]]:
    """File, class, first sentence and keywords of every deliberate error of bad input."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                sentence = _text(node.args[0]) if node.args else ""
                names = {keyword.arg for keyword in node.keywords}
                found.append((f"{path.relative_to(SOURCES)}:{node.lineno}", node.func.id, sentence, names))
    return found


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


def test_every_error_says_what_is_allowed_or_what_to_do() -> None:
    assert len(constructed()) > 100
    silent = [
        f"{place} {kind}: {sentence}"
        for place, kind, sentence, names in constructed()
        if not {"allowed", "remedy", None} & names
    ]
    assert silent == []


def test_every_error_of_a_key_says_what_is_allowed_and_what_to_do() -> None:
    incomplete = [
        f"{place}: {sentence}"
        for place, kind, sentence, names in constructed()
        if kind == "SpecError" and place.startswith(OF_KEYS)
        if None not in names and not {"key", "allowed", "remedy"} <= names
        if not (sentence in NOTHING_TO_ALLOW and "remedy" in names)
    ]
    assert incomplete == []


def paths(kind: type[BaseModel], above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every field: 0 for the first entry of a list, ``tune`` for a key of a mapping."""
    for name, field in kind.model_fields.items():
        path = (*above, name)
        yield path
        inner = section_in(field.annotation)
        if inner is not None:
            container = {tuple: (0,), dict: ("tune",)}.get(get_origin(field.annotation), ())
            yield from paths(inner, (*path, *container))


def field_at(kind: type[BaseModel], path: tuple[str | int, ...]) -> Any:
    field = None
    for part in path:
        if part in kind.model_fields:
            field = kind.model_fields[part]
            kind = section_in(field.annotation) or kind
    return field


def nested(path: tuple[str | int, ...], value: Any) -> Any:
    for part in reversed(path):
        value = [value] if part == 0 else {part: value}
    return value


def read_run(content: dict[str, Any]) -> None:
    with_overrides(content, {})


def read_cluster(content: dict[str, Any]) -> None:
    base = {"namespace": "minorkey", "stores": STORES} | content
    if isinstance(content.get("stores"), dict):
        base["stores"] = STORES | content["stores"]
    if isinstance(content.get("serving"), dict):
        base["serving"] = {
            name: {**PLACES_TO_SERVE.get(name, {}), **given} if isinstance(given, dict) else given
            for name, given in content["serving"].items()
        }
        predictor = content["serving"].get("gitops")
        if isinstance(predictor, dict) and isinstance(predictor.get("predictor"), dict):
            base["serving"]["gitops"]["predictor"] = {"image": "predictor", **predictor["predictor"]}
    load_cluster_spec(json.dumps(base))


#: Values of every kind; a field takes some and has to refuse the others.
BROKEN = [3.5, 7, -(10**12), 10**12, True, "no such !", "", [[]], ["!"], {"? !": [[]]}, {"tune": 1}]
PLACES = [
    pytest.param(kind, path, read, id=".".join(map(str, path)))
    for kind, read in ((RunSpec, read_run), (ClusterSpec, read_cluster))
    for path in paths(kind)
]


@pytest.mark.parametrize(("kind", "path", "read"), PLACES)
def test_no_field_answers_in_the_words_of_the_checking_library(
    kind: type[BaseModel], path: tuple[str | int, ...], read: Callable[[dict[str, Any]], None]
) -> None:
    key, refused = ".".join(map(str, path)), []
    for value in BROKEN:
        try:
            read(nested(path, value))
        except SpecError as error:
            refused.append(value)
            # A combination of keys is the fault of the section above them.
            near = key.startswith(f"{error.key}.") if "does not fit: " in error.problem else error.key == key
            assert near or error.key.startswith(f"{key}."), str(error)
            assert error.allowed and error.remedy, str(error)
            told = str(error).replace(f"found:   {error.value}", "")
            assert PYDANTIC.search(told) is None, told
    assert [[]] in refused and all(value in refused for value in out_of_range(field_at(kind, path)))


def out_of_range(field: Any) -> list[Any]:
    """Which of the broken values a field's own bounds refuse."""
    types = {field.annotation, *get_args(field.annotation)}
    bounds = str(field)
    numbers = [-(10**12)] if {int, float} & types and str not in types else []
    beyond = [10**12] if re.search(r"\b(le|lt)=", bounds) else []
    return numbers + beyond + ([""] if "pattern" in bounds and "^$" not in bounds else [])


@pytest.mark.parametrize(("kind", "path", "read"), PLACES)
def test_every_field_is_described(kind: type[BaseModel], path: tuple[str | int, ...], read: object) -> None:
    description = field_at(kind, path).description
    assert description and description.endswith(".")


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        ({"search": {"trials": 0}}, "a whole number from 1 to 100,000"),
        ({"search": {"workers": 0}}, "a whole number from 1 to 1,024, or nothing"),
        ({"search": {"timeout": 0}}, "a number above 0, or nothing"),
        ({"search": {"portfolio": "perhaps"}}, "true or false"),
        ({"split": {"kind": "x"}}, "auto, hash, time or repeated_cv"),
        ({"split": {"test_fraction": 1}}, "a number above 0 and below 1"),
        ({"data": {"max_columns": 0}}, "a whole number of at least 1"),
        ({"data": {"drop": "shop"}}, "a list of texts"),
        ({"data": {"positive": []}}, "a text, a number or true or false, or nothing"),
        ({"data": {"options": 3}}, "a mapping of names, each with a text, a number or true or false"),
        ({"model": "A B"}, "a name of at most 40 small letters, digits and inner hyphens"),
        ({"evaluate": {"gate": 3}}, "a mapping with keys among alpha, confirmed_drift, margin, rule"),
    ],
)
def test_what_is_allowed_reads_as_a_person_would_say_it(content: dict[str, Any], allowed: str) -> None:
    with pytest.raises(SpecError) as caught:
        with_overrides(content, {})
    assert caught.value.allowed.startswith(f"{allowed};")


def test_a_number_where_a_text_is_needed_is_to_be_quoted() -> None:
    with pytest.raises(SpecError) as caught:
        read_cluster({"steps": {"tune": {"cpu": 2}}})
    assert caught.value.key == "steps.tune.cpu" and caught.value.remedy.startswith("put quotes around")
