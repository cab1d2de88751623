"""The expressions of the dashboard, put to a real Prometheus, and the page drawn of its answers."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from minorkey.drift.dashboard import ROWS, Panel, Query
from minorkey.drift.dashboard.answers import Line, Period, ask
from minorkey.drift.dashboard.drawing import draw, written
from minorkey.drift.dashboard.panel import above
from minorkey.drift.dashboard.preview import preview
from minorkey.drift.rules import LOOP, Addresses, render_prometheus
from minorkey.errors import StateError
from tests.stores.processes import free_ports, running

MONITORING = Path(__file__).parents[2] / "monitoring"
PERIOD = Period(0.0, 100.0, 10.0)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Configured as for the loop, with services that are not there."""
    folder = tmp_path_factory.mktemp("prometheus")
    (own, absent) = free_ports(2)
    nobody, itself = (f"127.0.0.1:{absent}",), (f"127.0.0.1:{own}",)
    places = Addresses(nobody, nobody, nobody, nobody, itself)
    config = folder / "config.yaml"
    config.write_text(render_prometheus(LOOP, places, monitoring=str(MONITORING)))
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    url = f"http://{itself[0]}"

    def scraped() -> bool:
        told = httpx.get(f"{url}/api/v1/query", params={"query": "count(up)"}).json()["data"]["result"]
        return bool(told) and told[0]["value"][1] == "5"

    with running([*command, f"--web.listen-address={itself[0]}"], log=folder / "log", ready=scraped):
        yield url


@pytest.mark.monitoring
def test_a_real_prometheus_answers_every_expression_and_the_page_shows_what_is_there(
    prometheus: str, promtool: None
) -> None:
    page = preview(prometheus, "cards", seconds=30)
    headings = [unescape(title) for title in re.findall(r"<h3>(.*?)</h3>", page)]
    assert headings == [panel.title for panels in ROWS.values() for panel in panels]
    services = page.partition("<h3>Services</h3>")[2].partition("</section>")[0]
    shown = re.findall(r'<dt>([\w-]+)</dt><dd class="(\w+)">(\w+)</dd>', services)
    jobs = ("alertmanager", "minorkey-feedback", "minorkey-predictor", "minorkey-trigger")
    assert sorted(shown) == [(job, "red", "down") for job in jobs]
    assert page.count("<p>no data</p>") >= len(headings) - 3


@pytest.mark.monitoring
def test_an_expression_that_prometheus_refuses_is_named(prometheus: str, promtool: None) -> None:
    wrong = Panel("wrong", "", (Query("rate(up)", ""),))
    with httpx.Client(base_url=prometheus) as client, pytest.raises(StateError, match="refuses") as caught:
        ask(client, wrong, "cards", PERIOD)
    assert caught.value.key == "rate(up)"


def test_without_a_prometheus_the_address_is_named() -> None:
    (port,) = free_ports(1)
    with pytest.raises(StateError, match="does not answer"):
        preview(f"http://127.0.0.1:{port}", "cards", seconds=60, now=1_000.0)


def line(name: str, *values: float) -> Line:
    return Line(name, tuple(10.0 * place for place in range(len(values))), values)


@pytest.mark.parametrize(
    "panel",
    [
        Panel("Lines", "", (), steps=above(0.5)),
        Panel("Bars", "", (), shape="bars"),
        Panel("States", "", (), shape="states", words=(("1", "fires", "red"),)),
    ],
    ids=lambda panel: panel.shape,
)
def test_a_panel_is_drawn_with_the_names_of_its_series(panel: Panel) -> None:
    svg = draw(panel, [line("version 3", 0.2, 1.0), line("version 4 low", 0.1, 1.0)], PERIOD)
    assert svg.startswith("<svg") and f'aria-label="{panel.title}"' in svg
    assert "version 3" in svg and "version 4 low" in svg


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("percentunit", 0.0144, "1.44 %"),
        ("s", 900, "900 s"),
        ("reqps", 2.5, "2.5/s"),
        ("short", 12_000, "12,000"),
    ],
)
def test_values_have_their_units(unit: str, value: float, text: str) -> None:
    assert written(Panel("", "", (), unit=unit), value) == text


def test_a_word_takes_the_place_of_its_value() -> None:
    panel = Panel("", "", (), words=(("0", "down", "red"),))
    assert written(panel, 0.0) == "down" and written(panel, 1.0) == "1"
