"""Fills the templates."""

import json
from importlib.resources import files
from typing import Any

import jinja2

from minorkey.drift.rules.windows import Windows

__all__ = ["KINDS", "fill", "render"]

#: What is rendered: the folder of `monitoring/`, by name of the template.
KINDS = ("rules", "alerts")

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def render(kind: str, windows: Windows) -> str:
    """The text of a rule file for Prometheus.

    Args:
        kind: one of `KINDS`.
        windows: the lengths of time to fill in.

    Raises:
        jinja2.TemplateNotFound: there is no such kind.
    """
    return fill(kind, w=windows)


def fill(template: str, **values: Any) -> str:
    """A template with its values.

    Args:
        template: its name, without suffixes.
        values: what the template reads.

    Raises:
        jinja2.TemplateNotFound: there is no such template.
        jinja2.UndefinedError: a value is missing.
    """
    environment = jinja2.Environment(
        # Prometheus' own templates have double braces.
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_template),
        autoescape=False,  # noqa: S701 - YAML, from nothing but this package
    )
    environment.filters["duration"] = duration
    environment.filters["quoted"] = json.dumps
    environment.globals["zip"] = zip
    return environment.get_template(template).render(**values)


def duration(seconds: int) -> str:
    """The time as Prometheus writes it, in its largest whole unit."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


def _template(name: str) -> str | None:
    found = files("minorkey.drift.rules").joinpath(f"{name}.yaml.j2")
    return found.read_text(encoding="utf-8") if found.is_file() else None
