"""The ledger as a page to look at."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import jinja2

from minorkey.retune.action import Action
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.views import Page

__all__ = ["HEADERS", "ago", "lasted", "moment", "render"]

#: The page runs nothing and fetches nothing.
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def render(page: Page, spec: RetuneSpec) -> bytes:
    """The page as HTML; whatever came from outside is escaped."""
    return (
        _template()
        .render(page=page, spec=spec, moment=moment, ago=ago, lasted=lasted, open=_open(page.actions))
        .encode()
    )


@cache
def _template() -> jinja2.Template:
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=folder,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _open(actions: Sequence[Action]) -> list[Action]:
    return [action for action in actions if action.ended is None]


def moment(seconds: float | None) -> str:
    """A time of the ledger, in UTC; "" for none."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "out of range"


def ago(now: float, then: float) -> str:
    """A distance in time, in the two largest units."""
    left, words = round(abs(now - then)), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, left = divmod(left, size)
        if number:
            words.append(f"{number} {unit}")
    told = " ".join(words[:2]) or "0 s"
    return f"in {told}" if then > now else f"{told} ago"


def lasted(action: Action, now: float) -> str:
    """How long the run of an action lasted, or goes on; "" before it began."""
    if action.started is None:
        return ""
    return ago(action.ended or now, action.started).removesuffix(" ago")
