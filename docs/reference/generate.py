"""Write spec.md, cluster.md and schedules.md from the schemas, and cli.md from the commands' help."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minorkey.cli import app
from minorkey.cluster.spec import ClusterSpec
from minorkey.schedules import SchedulesSpec
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

_CLUSTER_HEADING = """# The cluster specification

Where and as what a run's pods run: one YAML file that `minorkey compile --cluster CLUSTER.yaml` bakes into
the pipeline. A run cannot change it; a run that asks for another cluster or image is refused. An example
with comments is `specs/cluster/example.yaml`; `minorkey doctor --cluster CLUSTER.yaml` compares it with the
cluster. Unknown keys are refused.

This page is generated from the schema by `make compile`.
"""


_SCHEDULES_HEADING = """# The file of schedules

What is to run when on Kubeflow Pipelines: one YAML file that `minorkey schedule SCHEDULES.yaml` reconciles
with the server ([how](../how-to/schedule-runs.md)). `specs/schedules/example.yaml` is one with comments.
Unknown keys are refused.

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
    return "\n".join([_HEADING, *_section("", "The run", schema, schema["$defs"])])


def _cluster() -> str:
    schema = ClusterSpec.model_json_schema()
    return "\n".join([_CLUSTER_HEADING, *_section("", "The cluster", schema, schema["$defs"])])


def _schedules() -> str:
    schema = SchedulesSpec.model_json_schema()
    return "\n".join([_SCHEDULES_HEADING, *_section("", "The file", schema, schema["$defs"])])


def _section(prefix: str, title: str, schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    plain, nested = {}, {}
    for name, content in schema["properties"].items():
        path, reference = _inner(f"{prefix}{name}", content)
        if "properties" in definitions.get(reference, {}):
            nested[path] = definitions[reference]
        else:
            plain[name] = content
    yield f"## {title}\n"
    description = schema.get("description", "").splitlines()
    yield f"{description[0]}\n" if description else ""
    yield "| key | takes | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, content in plain.items():
        default = "needed" if name in schema.get("required", []) else f"`{json.dumps(_default(content))}`"
        meaning = _cell(content.get("description", ""))
        yield f"| `{prefix}{name}` | {_cell(_takes(content))} | {default} | {meaning} |"
    yield ""
    for name, content in nested.items():
        yield from _section(f"{name}.", name, content, definitions)


def _default(content: dict[str, Any]) -> Any:
    return content.get("default", {} if content.get("type") == "object" else None)


def _inner(path: str, content: dict[str, Any]) -> tuple[str, str]:
    """Path and name of the section that a key holds: as itself, optional, in a mapping or in a list."""
    if "anyOf" in content:
        return next((found for option in content["anyOf"] if (found := _inner(path, option))[1]), (path, ""))
    if content.get("type") == "array" and "items" in content:
        return _inner(f"{path}[]", content["items"])
    if content.get("type") == "object" and isinstance(content.get("additionalProperties"), dict):
        return _inner(f"{path}.NAME", content["additionalProperties"])
    return path, content.get("$ref", "").rpartition("/")[2]


def _takes(content: dict[str, Any]) -> str:
    if "anyOf" in content:
        return " or ".join(dict.fromkeys(_takes(option) for option in content["anyOf"]))
    if "enum" in content:
        return ", ".join(f"`{value}`" for value in content["enum"])
    if "const" in content:
        return f"`{content['const']}`"
    if "format" in content:
        return str(content["format"])
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
PAGES = {"spec.md": _specification, "cluster.md": _cluster, "cli.md": _commands, "schedules.md": _schedules}

if __name__ == "__main__":
    for name, text in PAGES.items():
        Path(__file__).with_name(name).write_text(text(), encoding="utf-8")
