"""What has to happen for the loop to count as closed."""

from dataclasses import dataclass

from minorkey.loop.comparison import Comparison
from minorkey.loop.moments import KEYS, Observer
from minorkey.simulation.stream import Tally

__all__ = ["Check", "checks"]

_TEXTS = {
    "serving": "the first model answered",
    "healthy": "its performance was measured from late labels while all was well",
    "drift": "the concept drifted",
    "harm": "harm was seen: measured performance below what the reference implies, beyond chance",
    "alert": "an alert fired",
    "decided": "the alert led to a retune",
    "fix": "a fix was chosen, warm-started from the champion, and proven on rows that neither had seen",
    "swap": "the better version took over",
    "recovered": "Prometheus measured that performance recovered",
}


@dataclass(frozen=True)
class Check:
    """Something that had to happen, and whether it did."""

    key: str
    text: str
    met: bool


def checks(observer: Observer, tally: Tally, comparison: Comparison | None) -> list[Check]:
    """Everything that had to happen, each after the one before it where order matters.

    Args:
        observer: what was seen.
        tally: what became of the stream.
        comparison: with the loop and without it.
    """
    found, last = [], 0.0
    for key in KEYS:
        moment = observer.moments.get(key)
        # The fix and the swap are seen by two different looks, in either order.
        met = moment is not None and (moment.seconds >= last or key in ("fix", "swap"))
        if moment is not None:
            last = max(last, moment.seconds)
        found.append(Check(key, _TEXTS[key], met))
    answered = bool(tally.rows) and not tally.failed
    found.append(Check("unharmed", "no request failed, the swap included", answered))
    better = comparison is not None and comparison.improved
    found.append(Check("better", "on the rows after the swap the loop did better than no loop would", better))
    return found
