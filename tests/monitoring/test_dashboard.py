"""The dashboard: as committed, every expression parses, every series and label in it exists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from minorkey.drift.dashboard import NEW_VERSION, ROWS, Panel
from minorkey.drift.dashboard.grafana import render_dashboard
from minorkey.drift.rules import PRODUCTION, render_alertmanager
from tests.monitoring.exporters import exported, samples
from tests.monitoring.promtool import complaints
from tests.monitoring.test_renderings import mentioned, rules
from tests.stores.processes import free_ports, running

MONITORING = Path(__file__).parents[2] / "monitoring"
COMMITTED = (MONITORING / "dashboards/minorkey.json").read_text(encoding="utf-8")
PANELS = [panel for panels in ROWS.values() for panel in panels]
TITLES = [panel.title for panel in PANELS]
ALERTS = {rule["alert"]: rule for rule in rules("alerts", PRODUCTION)}
#: Series that Prometheus makes itself, with their labels; an alert has those of its rule besides.
ITS_OWN = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity", "kind"}}
IDENTITY = {"model", "version"}
#: Whatever chooses or groups by labels.
SELECTOR = re.compile(r"([\w:]+)\{([^}]*)\}")
GROUPING = re.compile(r"\bby \(([^)]*)\)")


def expressions() -> Iterator[str]:
    """Everything in the committed JSON that Prometheus is asked for."""
    content = json.loads(COMMITTED)
    for panel in content["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (one["expr"] for one in content["annotations"]["list"])
    for variable in content["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"])
            assert found
            yield found[1]


def filled(expression: str) -> str:
    """As Grafana sends it, once its variables have values."""
    for name, value in {
        "$model": "cards",
        "$version": "7|8",
        "$__rate_interval": "1m",
        "$__range": "24h",
    }.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def names(expression: str) -> set[str]:
    """Series in an expression."""
    own = set(re.findall(r"\b(ALERTS)\{", re.sub(r'"[^"]*"', '""', expression)))
    return mentioned(expression) | own


def labels_of_recorded(name: str) -> set[str]:
    """``model_feature_bin:...`` has the labels model, version, feature and bin."""
    return IDENTITY | set(name.partition(":")[0].split("_"))


def test_the_committed_dashboard_is_what_the_code_writes() -> None:
    assert render_dashboard() == COMMITTED, "run `make monitoring`"


def test_everything_that_is_asked_for_parses(tmp_path: Path, promtool: None) -> None:
    asked = [{"record": f"asked:{n}", "expr": filled(one)} for n, one in enumerate(expressions())]
    (tmp_path / "asked.yaml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": asked}]}))
    assert complaints("check", "rules", "--lint=none", tmp_path / "asked.yaml") == ""
    assert len(asked) > len(PANELS)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Labels of every series that rules record or services export."""
    recorded = {rule["record"] for rule in rules("rules", PRODUCTION)}
    found = exported(tmp_path_factory.mktemp("services"))
    return found | {name: labels_of_recorded(name) for name in recorded} | ITS_OWN


def test_every_series_that_is_asked_for_exists(known: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in names(expression)}
    foreign = {name for name in asked if name.startswith("alertmanager_")}
    assert asked - foreign - set(known) == set()
    assert foreign == {"alertmanager_notifications_failed_total"}


@pytest.mark.monitoring
def test_what_is_asked_of_alertmanager_exists(tmp_path: Path, alertmanager: None) -> None:
    (tmp_path / "config.yaml").write_text(render_alertmanager(PRODUCTION))
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = ["prometheus-alertmanager", f"--config.file={tmp_path / 'config.yaml'}"]
    command += [f"--storage.path={tmp_path / 'data'}", "--cluster.listen-address="]
    with running(
        [*command, f"--web.listen-address=127.0.0.1:{port}"],
        log=tmp_path / "log",
        ready=lambda: httpx.get(f"{url}/-/ready").status_code == 200,
    ):
        told = samples(httpx.get(f"{url}/metrics"))
    assert "integration" in told["alertmanager_notifications_failed_total"]


def test_series_have_the_labels_by_which_they_are_chosen_and_grouped(known: dict[str, set[str]]) -> None:
    strange = []
    for expression in expressions():
        chosen = [(name, set(re.findall(r"(\w+)=", inside))) for name, inside in SELECTOR.findall(expression)]
        grouped = {one.strip() for inside in GROUPING.findall(expression) for one in inside.split(",")}
        for name, labels in chosen:
            if name in known:
                # An alert about a service has no model, and one about a model has its labels.
                has = known[name] | (IDENTITY if name == "ALERTS" else set())
                strange += [(name, label) for label in (labels | grouped) - has]
    assert strange == []


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_every_panel_says_what_to_do_and_where_the_runbook_does(panel: Panel) -> None:
    assert len(panel.description) > 40 and panel.description.endswith(".")
    assert set(panel.alerts) <= set(ALERTS)
    legends = {label for query in panel.queries for label in re.findall(r"\{\{(\w+)\}\}", query.legend)}
    asked = " ".join(query.expr for query in panel.queries)
    assert [
        label
        for label in legends
        if label not in asked and label not in IDENTITY | {"feature", "bin", "champion", "scorer"}
    ] == []


@pytest.mark.parametrize("panel", [one for one in PANELS if one.alerts], ids=lambda panel: panel.title)
def test_colours_change_where_alerts_fire(panel: Panel) -> None:
    raised = " ".join(re.sub(r"\[[^]]*\]", "", ALERTS[name]["expr"]) for name in panel.alerts)
    numbers = {float(one) for one in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", raised)}
    numbers |= {float(a) * float(b) for a, b in re.findall(r"(\d[\d.]*) \* (0\.\d+)", raised)}
    limits = {step.value for step in panel.steps if step.value is not None}
    if panel.shape == "number":  # a count is bad below 1, where the alert asks for 0
        limits -= {1}
    assert limits <= numbers


def test_every_alert_has_a_panel() -> None:
    linked = {name for panel in PANELS for name in panel.alerts}
    assert set(ALERTS) - linked == set()


def test_links_of_the_dashboard_lead_to_chapters_that_exist() -> None:
    runbook = (MONITORING / "runbook.md").read_text(encoding="utf-8")
    chapters = {title.lower() for title in re.findall(r"^## (\w+)$", runbook, re.MULTILINE)}
    urls = [link["url"] for panel in json.loads(COMMITTED)["panels"] for link in panel.get("links", ())]
    assert urls and {url.partition("#")[2] for url in urls} <= chapters
    assert {url.partition("#")[0] for url in urls} == {PRODUCTION.runbook}


def test_panels_fill_the_grid_and_none_covers_another() -> None:
    cells: set[tuple[int, int]] = set()
    panels = json.loads(COMMITTED)["panels"]
    for panel in panels:
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not own & cells and max(x for x, _ in own) < 24, panel["title"]
        cells |= own
    assert len(cells) == 24 * (1 + max(y for _, y in cells))
    identities = [panel["id"] for panel in panels]
    assert len(set(identities)) == len(identities) and len(set(TITLES)) == len(TITLES)


def test_rows_ask_the_questions_and_variables_choose_model_and_version() -> None:
    content = json.loads(COMMITTED)
    asked = [panel["title"] for panel in content["panels"] if panel["type"] == "row"]
    assert asked == [
        "Is it healthy?",
        "Is the data drifting?",
        "Is it still right?",
        "Would the challenger do better?",
        "What did the loop do?",
    ]
    assert [one["name"] for one in content["templating"]["list"]] == ["datasource", "model", "version"]
    assert [one["expr"] for one in content["annotations"]["list"]] == [NEW_VERSION]


def test_provisioning_gives_what_the_dashboard_asks_for() -> None:
    folder = MONITORING / "grafana/provisioning"
    (source,) = read(folder / "datasources/minorkey.yaml")["datasources"]
    (provider,) = read(folder / "dashboards/minorkey.yaml")["providers"]
    (chosen,) = (one for one in json.loads(COMMITTED)["templating"]["list"] if one["type"] == "datasource")
    assert source["type"] == chosen["query"] == "prometheus"
    assert source["jsonData"]["timeInterval"] == f"{PRODUCTION.scrape}s"
    how_to = (MONITORING.parent / "docs/how-to/watch-a-model.md").read_text(encoding="utf-8")
    for value in (source["url"], provider["options"]["path"]):
        assert re.fullmatch(r"\$\{\w+\}", value) and f"{value[2:-1]}=" in how_to


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
