"""What `minorkey shadow show` says."""

import numpy as np

from minorkey.serving.shadow_counts import Outcomes, ShadowCounts
from minorkey.serving.shadow_text import comparison_text

CELLS = np.array([[[30_700, 66], [31, 27]], [[118, 13], [67, 296.0]]])


def counts(**changes: object) -> ShadowCounts:
    seconds = {
        "champion": [(0.0002, 900.0), (0.001, 1_000.0)],
        "challenger": [(0.0005, 600.0), (0.002, 1_000.0)],
    }
    decisions = np.array([[47_106.0, 92], [163, 849]])
    return ShadowCounts(
        **{
            "version": "8",
            "champion": "7",
            "decisions": decisions,
            "errors": {"failed": 0.0, "unfit": 0.0},
            "seconds": seconds,
            "loaded": True,
            **changes,
        }
    )


def outcomes(cells: np.ndarray) -> dict[tuple[str, str], Outcomes]:
    labels = cells.sum(axis=(0, 1))
    return {("8", "7"): Outcomes("8", "7", cells=cells, squares=cells, labels=labels)}


def line(text: str, start: str) -> list[str]:
    (found,) = (one for one in text.splitlines() if one.strip().startswith(start))
    return [part for part in found.strip()[len(start) :].split("  ") if part]


def test_both_stand_side_by_side_with_the_interval_of_their_difference() -> None:
    text = comparison_text("cards", [counts(missed=4.0)], outcomes(CELLS))
    assert text.splitlines()[0] == "cards: version 8 in the shadow of version 7"
    assert [part.strip() for part in line(text, "called positive  ")] == ["1,012 (2.10 %)", "941 (1.95 %)"]
    alone = [part.strip() for part in line(text, "called positive by this one alone")]
    assert alone == ["163 (0.34 %)", "92 (0.19 %)"]
    assert [part.strip() for part in line(text, "scores 99 % of the requests within")] == ["1 ms", "2 ms"]
    assert line(text, "rows that found no room to wait")[-1].strip() == "4"
    assert [part.strip() for part in line(text, "recall")] == ["0.769", "0.803"]
    assert text.splitlines()[-1].endswith(": the challenger is better")
    turned = comparison_text("cards", [counts()], outcomes(CELLS.transpose(1, 0, 2)))
    assert turned.splitlines()[-1].endswith(": the champion is better")
    equal = comparison_text("cards", [counts()], outcomes((CELLS + CELLS.transpose(1, 0, 2)) / 2))
    assert "differs by +0.000" in equal and equal.endswith(": undecided")
    silent = CELLS.copy()
    silent[:, 1] = 0
    calls_nothing = comparison_text("cards", [counts()], outcomes(silent))
    assert calls_nothing.endswith(": the champion is better")


def test_what_is_not_known_is_said() -> None:
    assert "nothing has been in shadow" in comparison_text("cards", [], None)
    assert "outcomes: unknown" in comparison_text("cards", [counts()], None)
    assert "0 mature positives" in comparison_text("cards", [counts()], {})
    few = comparison_text("cards", [counts(loaded=False)], outcomes(CELLS / 10))
    assert "40 mature positives; figures come from 50 on" in few and "(ended)" in few and "recall" not in few
    fresh = comparison_text("cards", [ShadowCounts("8", "7", loaded=True)], None)
    assert line(fresh, "scores half of the requests within")[-1].strip() == "-"
