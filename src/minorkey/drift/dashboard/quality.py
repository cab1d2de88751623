"""Row "Is it still right?": what mature outcomes say, and what the scores themselves promise."""

from minorkey.drift.dashboard.panel import VERSION, Panel, Query, below, between
from minorkey.drift.rules.windows import PRODUCTION

__all__ = ["QUALITY"]


def _measured(figure: str, name: str = "") -> tuple[Query, ...]:
    """A measured figure with its bounds of 95 %."""
    word = f" {name}" if name else ""
    return tuple(
        Query(
            f"model:minorkey_{figure}:measured{suffix}{{{VERSION}}}", f"version {{{{version}}}}{word}{legend}"
        )
        for suffix, legend in (("", ""), ("_low", " low"), ("_high", " high"))
    )


QUALITY = (
    Panel(
        "Matthews correlation, measured",
        "On outcomes that have matured, with bounds of 95 %, beside what the reference's true and false "
        "positive rates give at today's prevalence. Where a decision cannot wait and an earlier version did "
        "better, `minorkey rollback`; else let the retune end.",
        (
            *_measured("mcc"),
            Query(f"model:minorkey_mcc_implied:measured{{{VERSION}}}", "version {{version}} reference"),
        ),
        alerts=("MinorkeyPerformanceDown", "MinorkeyChampionWorse"),
    ),
    Panel(
        "Measured less reference",
        "The difference of the two. Where its upper bound lies below -0.05, performance is down beyond "
        "chance and by more than a trifle, and a retune is asked for.",
        _measured("mcc_gap"),
        alerts=("MinorkeyPerformanceDown",),
        steps=below(-0.05),
    ),
    Panel(
        "Matthews correlation, estimated",
        "What the scores promise without a label, beside 0.85 of what the reference gives. Below it, have "
        "labels made: under concept drift the estimate cannot know.",
        (
            Query(f"model:minorkey_mcc:estimated{{{VERSION}}}", "version {{version}} estimated"),
            Query(
                f"0.85 * model:minorkey_mcc_implied:estimated{{{VERSION}}}",
                "version {{version}} 0.85 of the reference",
            ),
        ),
        alerts=("MinorkeyEstimatedPerformanceDown",),
    ),
    Panel(
        "Precision",
        "Share of the rows called positive that are, with bounds of 95 %. Where it falls alone, look at the "
        "prevalence and at the threshold.",
        _measured("precision"),
        unit="percentunit",
        alerts=("MinorkeyPerformanceDown",),
    ),
    Panel(
        "Recall",
        "Share of the positives that are found, with bounds of 95 %. With selective labels it is there for "
        "as long as the audit stands for half of the blocked rows.",
        _measured("recall"),
        unit="percentunit",
        alerts=("MinorkeyPerformanceDown",),
    ),
    Panel(
        "Prevalence",
        "Share of positives among the outcomes, with bounds of 95 %; an alert is raised where they leave the "
        "band round the reference. Find out whether it is real: another way of labelling looks the same.",
        (
            *_measured("prevalence"),
            Query(
                f"1.25 * model:minorkey_reference_prevalence:rate{{{VERSION}}}",
                "version {{version}} band high",
            ),
            Query(
                f"0.8 * model:minorkey_reference_prevalence:rate{{{VERSION}}}", "version {{version}} band low"
            ),
        ),
        unit="percentunit",
        alerts=("MinorkeyPriorShift",),
    ),
    Panel(
        "Calibration: intercept",
        "0 is right. Above it too few positives are promised. Mistrust what multiplies scores by money until "
        "a retune has mended it; rankings are not touched.",
        _measured("calibration_intercept"),
        alerts=("MinorkeyCalibrationOff",),
        steps=between(-0.2, 0.2),
    ),
    Panel(
        "Calibration: slope",
        "1 is right. Below it the scores are too sure of themselves.",
        _measured("calibration_slope"),
        alerts=("MinorkeyCalibrationOff",),
        steps=between(0.8, 1.2),
    ),
    Panel(
        "Mature positives in the window",
        f"What the figures of this row rest on. Below {PRODUCTION.positives} they are absent, not wrong: "
        "have more labels made.",
        (Query(f"model:minorkey_mature_positives:increase{{{VERSION}}}", "version {{version}}"),),
        shape="number",
        steps=below(PRODUCTION.positives),
    ),
)
