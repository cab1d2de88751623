"""The report in a real browser: readable on a phone and on a desk, offline, without a complaint."""

from pathlib import Path

import pytest

from minorkey.evaluation.report import Content, render

from .page import opened

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("name", "width", "height"), [("phone", 390, 844), ("desk", 1280, 900)])
def test_report_fits_and_draws(content: Content, tmp_path: Path, name: str, width: int, height: int) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(content), encoding="utf-8")
    with opened(tmp_path / "profile") as page:
        page.open(path, width=width, height=height)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = page.evaluate(
            "[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().height)"
        )
        assert len(sizes) >= 6
        assert min(sizes) > 100
        sizes = page.evaluate(
            "[...document.querySelectorAll('p, td, th')].map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 11
        top = page.evaluate("document.querySelector('header.verdict').getBoundingClientRect().top")
        assert top < height / 4
        page.screenshot(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 20_000
        assert page.complaints == []
