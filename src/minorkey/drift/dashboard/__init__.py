"""The Grafana dashboard as code: rows of panels, and the JSON made of them (extra ``dashboard``)."""

from minorkey.drift.dashboard.panel import Panel, Query
from minorkey.drift.dashboard.rows import NEW_VERSION, ROWS

__all__ = ["NEW_VERSION", "ROWS", "Panel", "Query"]
