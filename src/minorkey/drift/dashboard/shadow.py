"""Row "Would the challenger do better?": what it does in shadow, beside the champion on the same rows."""

from minorkey.drift.dashboard.panel import MODEL, Panel, Query, above

__all__ = ["SHADOW"]

_PAIR = "version {{version}} beside {{champion}}"
_CHAMPION = "version {{champion}} beside {{version}}"


def _both(figure: str) -> tuple[Query, ...]:
    """A figure of the challenger and of the champion."""
    return (
        Query(f"model_champion:minorkey_shadow_{figure}{{{MODEL}}}", _PAIR),
        Query(f"model_champion:minorkey_shadow_champion_{figure}{{{MODEL}}}", _CHAMPION),
    )


SHADOW = (
    Panel(
        "Rows decided otherwise",
        "Share of the rows on which challenger and champion do not decide alike, each at its own threshold. "
        "Near 0 a swap changes nothing; where it is large, look at the rows called positive beside it.",
        (Query(f"model_champion:minorkey_shadow_disagreement:ratio{{{MODEL}}}", _PAIR),),
        unit="percentunit",
    ),
    Panel(
        "Rows called positive, by both",
        "Each of these is work for somebody: see before a swap whether the challenger brings more of it.",
        _both("predicted_positive:ratio"),
        unit="percentunit",
    ),
    Panel(
        "Rows lost in shadow",
        "Share of the rows that the challenger failed on, or that found no room to wait. No client noticed; "
        "do not promote it before that is mended.",
        (Query(f"model:minorkey_shadow_lost:ratio{{{MODEL}}}", "version {{version}}"),),
        unit="percentunit",
        alerts=("MinorkeyShadowIncomplete",),
        steps=above(0.01),
    ),
    Panel(
        "Matthews correlation on the same rows",
        "Of challenger and champion, on outcomes that have matured. Absent below 50 mature positives: wait, "
        "or have more labels made.",
        _both("mcc:measured"),
    ),
    Panel(
        "Challenger less champion",
        "The difference of the two, with bounds of 95 %. Where the lower bound lies above 0 it is better "
        "beyond chance: `minorkey promote`.",
        tuple(
            Query(f"model_champion:minorkey_shadow_mcc_gap:measured{suffix}{{{MODEL}}}", f"{_PAIR}{legend}")
            for suffix, legend in (("", ""), ("_low", " low"), ("_high", " high"))
        ),
        alerts=("MinorkeyShadowBetter",),
    ),
    Panel(
        "Slowest scoring (99th percentile)",
        "Seconds to score a request, of challenger and champion alike. Where the challenger is much slower, "
        "answers will be too once it serves.",
        (
            Query(
                f"model_scorer:minorkey_shadow_seconds:p99{{{MODEL}}}",
                "{{scorer}} (version {{version}} in shadow)",
            ),
        ),
        unit="s",
    ),
)
