"""Write spec.md, the reference of the specification, from its JSON schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minorkey.spec import RunSpec

__all__ = ["render"]

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "pattern": "matches `{}`",
}

_HEADING = """# The specification

A run is described by one YAML file (`minorkey run SPEC.yaml`); every key has a default. `minorkey schema` prints the
same as a JSON schema, `--set key.sub=value` sets one key on the command line. Unknown keys are refused.

This page is generated from the schema by `make compile`.
"""


def render() -> str:
    """The page as Markdown."""
    schema = RunSpec.model_json_schema()
    return "\n".join([_HEADING, *_section("", schema, schema["$defs"])])


def _section(prefix: str, schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    plain, nested = {}, {}
    for name, content in schema["properties"].items():
        reference = content.get("$ref", "").rpartition("/")[2]
        if "properties" in definitions.get(reference, {}):
            nested[name] = definitions[reference]
        else:
            plain[name] = content
    yield f"## {prefix.rstrip('.') or 'The run'}\n"
    description = schema.get("description", "").splitlines()
    yield f"{description[0]}\n" if description else ""
    yield "| key | takes | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, content in plain.items():
        default = json.dumps(content.get("default", {} if content.get("type") == "object" else None))
        meaning = _cell(content.get("description", ""))
        yield f"| `{prefix}{name}` | {_cell(_takes(content))} | `{default}` | {meaning} |"
    yield ""
    for name, content in nested.items():
        yield from _section(f"{prefix}{name}.", content, definitions)


def _takes(content: dict[str, Any]) -> str:
    if "anyOf" in content:
        return " or ".join(dict.fromkeys(_takes(option) for option in content["anyOf"]))
    if "enum" in content:
        return ", ".join(f"`{value}`" for value in content["enum"])
    if "const" in content:
        return f"`{content['const']}`"
    bounds = [text.format(content[key]) for key, text in _BOUNDS.items() if key in content]
    kind = content.get("type", "anything")
    if kind == "array":
        kind = f"list of {_takes(content['items'])}" if content.get("items") else "list"
    if kind == "object":
        kind = "mapping"
    return ", ".join([kind, *bounds])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    Path(__file__).with_name("spec.md").write_text(render(), encoding="utf-8")
