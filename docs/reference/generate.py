"""Write spec.md from the specification's JSON schema, and cli.md from the commands' help."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minorkey.cli import app
from minorkey.spec import RunSpec

__all__ = ["PAGES"]

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "pattern": "matches `{}`",
}

_HEADING = """# The specification

A run is described by one YAML file (`minorkey run SPEC.yaml`); every key has a default. `minorkey schema`
prints the same as a JSON schema, `--set key.sub=value` sets one key on the command line. Unknown keys
are refused.

This page is generated from the schema by `make compile`.
"""


def _commands() -> str:
    # The usage lines begin with the running program's name, of which cyclopts takes off one word:
    # under `python -m pytest` there would be three.
    called, sys.argv = sys.argv, ["minorkey"]
    try:
        text = app.generate_docs().replace("# minorkey\n", "# The command line\n", 1)
    finally:
        sys.argv = called
    return text.rstrip() + "\n\nThis page is generated from the commands by `make compile`.\n"


def _specification() -> str:
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


#: What this script writes: the name of a page, and the function that gives its text.
PAGES = {"spec.md": _specification, "cli.md": _commands}

if __name__ == "__main__":
    for name, text in PAGES.items():
        Path(__file__).with_name(name).write_text(text(), encoding="utf-8")
