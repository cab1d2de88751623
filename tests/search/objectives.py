"""Objectives for studies whose trials are cheap: real tasks in real workers, without any fit."""

import time
from collections.abc import Callable
from typing import Any

from minorkey.trials.trial import Configuration, Outcome, TrialResult

Report = Callable[..., bool]


def quadratic(
    report: Report,
    *,
    number: int,
    configuration: dict[str, Any],
    rungs: int,
    threads: int,
    seconds: float = 0.0,
    bad: list[int] | tuple[int, ...] = (),
) -> dict[str, Any]:
    """Best at model.x = 0.7; family "good" is 0.2 better. Trials in `bad` fail."""
    time.sleep(seconds)
    if number in bad:
        raise RuntimeError(f"trial {number} is bad")
    tried = Configuration.from_json(configuration)
    value = 0.7 - (tried.model["x"] - 0.7) ** 2 + 0.2 * (tried.family == "good")
    value += 0.05 * (tried.resampler != "none")
    reported = []
    for step in range(rungs):
        reported.append((step, value))
        if step < rungs - 1 and not report(step, value, (value,)):
            return result(number, tried, Outcome.PRUNED, reported)
    return result(number, tried, Outcome.COMPLETE, reported)


def result(
    number: int, tried: Configuration, outcome: Outcome, reported: list[tuple[int, float]]
) -> dict[str, Any]:
    value = reported[-1][1]
    return TrialResult(
        number=number,
        configuration=tried,
        outcome=outcome,
        value=value if outcome is Outcome.COMPLETE else None,
        reported=tuple(reported),
        fold_scores=(value,),
    ).to_json()


def stuck(report: Report, *, number: int, stuck: list[int], **arguments: Any) -> dict[str, Any]:
    """As `quadratic`, but some trials never end."""
    if number in stuck:
        time.sleep(3_600)
    return quadratic(report, number=number, **arguments)


def full_disk(report: Report, **arguments: Any) -> dict[str, Any]:
    raise OSError(28, "No space left on device")
