"""From rows and panels to the JSON that Grafana reads. Needs the extra ``dashboard``."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models

from minorkey.drift.dashboard.panel import Panel, Query, Shape
from minorkey.drift.dashboard.rows import NEW_VERSION, ROWS
from minorkey.drift.rules.windows import PRODUCTION

__all__ = ["render_dashboard"]

_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
#: Bounds and references are drawn thin, so that the figure itself stands out.
_THIN = r"/ (low|high|by chance|reference)$/"
_SERIES = "minorkey_rows_total"


def render_dashboard() -> str:
    """The dashboard's JSON: the same text for the same rows, whatever the machine."""
    made = (
        dashboard.Dashboard("minorkey")
        .uid("minorkey")
        .description(
            "Is it healthy, is the data drifting, is it still right, would the challenger do better, "
            "what did the loop do?"
        )
        .tags(["minorkey"])
        .time("now-24h", "now")
        .refresh("1m")
        .timezone("browser")
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_choice("model", f"label_values({_SERIES}, model)"))
        .with_variable(
            _choice("version", f'label_values({_SERIES}{{model="$model"}}, version)')
            .multi(True)
            .include_all(True)
            .all_value(".*")
            .current(models.VariableOption(selected=True, text="All", value="$__all"))
        )
        .annotation(
            dashboard.AnnotationQuery()
            .name("New version")
            .datasource(_SOURCE)
            .enable(True)
            .icon_color("blue")
            .expr(NEW_VERSION)
        )
        .link(_link("Runbook", PRODUCTION.runbook))
    )
    number = 0
    for title, panels in ROWS.items():
        made.with_row(dashboard.Row(title).id(number := number + 1))
        for panel in panels:
            made.with_panel(_panel(panel).id(number := number + 1))
    return json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _choice(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .datasource(_SOURCE)
        .query({"query": query, "refId": name})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.NATURAL_ASC)
    )


def _link(title: str, url: str) -> dashboard.DashboardLink:
    kind = models.DashboardLinkType.LINK
    return dashboard.DashboardLink(title).type(kind).url(url).target_blank(True)


def _panel(panel: Panel) -> Any:
    made = _SHAPES[panel.shape]()
    made.title(panel.title).description(panel.description).datasource(_SOURCE).unit(panel.unit)
    made.span(panel.width).height(panel.height)
    made.thresholds(
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=step.value, color=step.colour) for step in panel.steps])
    )
    if panel.shape == "lines" and len(panel.steps) > 1:
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED))
    if panel.words:
        results = {
            value: models.ValueMappingResult(text=text, color=colour, index=place)
            for place, (value, text, colour) in enumerate(panel.words)
        }
        made.mappings([models.ValueMap(options=results)])
    made.links([_link(name, f"{PRODUCTION.runbook}#{name.lower()}") for name in panel.alerts])
    for target in _targets(panel.queries, over_time=panel.shape in ("lines", "states")):
        made.with_target(target)
    return made


def _targets(queries: Iterable[Query], *, over_time: bool) -> Iterable[prometheus.Dataquery]:
    for place, query in enumerate(queries):
        made = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(chr(65 + place))
        yield made.range() if over_time else made.instant()


def _lines() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .line_width(2)
        .fill_opacity(0)
        .show_points(kinds.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
        .override_by_regexp(
            _THIN,
            [
                models.DynamicConfigValue("custom.lineWidth", 1),
                models.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 4]}),
            ],
        )
    )


def _newest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _number() -> stat.Panel:
    return (
        stat.Panel()
        .reduce_options(_newest())
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .text_mode(kinds.BigValueTextMode.VALUE_AND_NAME)
    )


def _bars() -> bargauge.Panel:
    return (
        bargauge.Panel()
        .reduce_options(_newest())
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
    )


def _states() -> statetimeline.Panel:
    return statetimeline.Panel().show_value(kinds.VisibilityMode.NEVER).row_height(0.8)


_SHAPES: dict[Shape, Callable[[], Any]] = {
    "lines": _lines,
    "number": _number,
    "bars": _bars,
    "states": _states,
}
