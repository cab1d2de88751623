"""What Prometheus and Alertmanager read: from one template each, in the windows of production and loop."""

from minorkey.drift.rules.delivery import (
    TO_TRIGGER,
    Addresses,
    render_alertmanager,
    render_prometheus,
)
from minorkey.drift.rules.rendering import KINDS, render
from minorkey.drift.rules.windows import LOOP, PRODUCTION, Windows

__all__ = [
    "KINDS",
    "LOOP",
    "PRODUCTION",
    "TO_TRIGGER",
    "Addresses",
    "Windows",
    "render",
    "render_alertmanager",
    "render_prometheus",
]
