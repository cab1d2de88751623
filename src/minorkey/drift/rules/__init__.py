"""Recording rules and alerts, rendered from one template each into the windows of production and loop."""

from minorkey.drift.rules.rendering import KINDS, render
from minorkey.drift.rules.windows import LOOP, PRODUCTION, Windows

__all__ = ["KINDS", "LOOP", "PRODUCTION", "Windows", "render"]
