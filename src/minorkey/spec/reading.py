"""From YAML, overrides or a step's JSON to a checked specification."""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml

from minorkey.errors import SpecError
from minorkey.spec.run import RunSpec
from minorkey.spec.section import Section
from minorkey.spec.validation import validated

__all__ = ["load_spec", "parse_section", "read_yaml", "with_overrides"]


S = TypeVar("S", bound=Section)


def read_yaml(path: Path, *, what: str, absent: str, broken: str) -> Any:
    """The content of a YAML file.

    Args:
        path: the file.
        what: it is called in messages, such as "the specification".
        absent: what to do where it cannot be read.
        broken: what to do where it is no YAML.

    Raises:
        SpecError: it cannot be read, or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(
            f"{what} cannot be read",
            key=str(path),
            value=error.strerror,
            allowed="a YAML file",
            remedy=absent,
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(
            f"{what} is not valid YAML", key=str(path), value=error, allowed="UTF-8 YAML", remedy=broken
        ) from None


def load_spec(path: Path) -> RunSpec:
    """Read a RunSpec from YAML.

    Raises:
        SpecError: the file is missing, is not YAML, or does not fit the schema.
    """
    content = read_yaml(
        path,
        what="the specification",
        absent="check the path; `minorkey init` writes a specification for a data set",
        broken="mend the line that the message names: often a quote, a bracket or a space after a colon",
    )
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise SpecError(
            "the specification is not a mapping",
            key=str(path),
            value=type(content).__name__,
            allowed="sections with keys, e.g. data: {source: rows.csv}",
            remedy="start from the file that `minorkey init` writes, or see `minorkey schema` for every key",
        )
    return with_overrides(content, {})


def with_overrides(content: dict[str, Any], overrides: dict[str, Any]) -> RunSpec:
    """The RunSpec of a mapping in which dotted keys (``search.trials``) are replaced.

    Raises:
        SpecError: the result does not fit the schema.
    """
    merged = json.loads(json.dumps(content, default=str))
    for dotted, value in overrides.items():
        *parents, leaf = dotted.split(".")
        place = merged
        for depth, parent in enumerate(parents, start=1):
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                above = ".".join(parents[:depth])
                raise SpecError(
                    "the key has no keys below it",
                    key=dotted,
                    value=value,
                    allowed=f"{above} itself",
                    remedy=f"set {above}, or see `minorkey schema` for every key",
                )
        place[leaf] = json.loads(json.dumps(value, default=str))
    return validated(RunSpec, merged)


def parse_section(kind: type[S], text: str) -> S:
    """One section from the JSON that a pipeline step received.

    Raises:
        SpecError: the text does not fit the section's schema.
    """
    return validated(kind, json.loads(text))
