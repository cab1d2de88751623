"""Fills the templates."""

from importlib.resources import files

import jinja2

from minorkey.drift.rules.windows import Windows

__all__ = ["KINDS", "render"]

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
    return environment.get_template(kind).render(w=windows)


def duration(seconds: int) -> str:
    """The time as Prometheus writes it, in its largest whole unit."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


def _template(name: str) -> str | None:
    if name not in KINDS:
        return None
    return files("minorkey.drift.rules").joinpath(f"{name}.yaml.j2").read_text(encoding="utf-8")
