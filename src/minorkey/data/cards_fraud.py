"""How fraudsters behave in the built-in card transactions, before and after the drift."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["AFTER", "BEFORE", "FraudRows", "Scenario", "fraud_rows"]

Range = tuple[float, float]

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Scenario:
    """One way of defrauding, played again and again.

    Attributes:
        name: value of the scenario column.
        share: share of all fraudulent transactions.
        rows: transactions of one incident, from and to.
        hours: how long an incident lasts.
        factor: amount in terms of the customer's mean.
        tests: small charges at the beginning of an incident.
        test_amount: what a small charge amounts to.
        online: share of transactions online.
        foreign: share of transactions from another country.
        night: share of transactions between midnight and five.
        at_terminal: whether an incident belongs to a terminal with many victims, or to one customer.
    """

    name: str
    share: float
    rows: tuple[int, int]
    hours: Range
    factor: Range
    tests: int = 0
    test_amount: Range = (0.5, 2.0)
    online: float = 0.3
    foreign: float = 0.0
    night: float = 0.0
    at_terminal: bool = False


BEFORE = (
    Scenario("compromised_terminal", 0.25, (10, 20), (288, 456), (0.8, 3.5), at_terminal=True, online=0.1),
    Scenario("stolen_card", 0.30, (5, 9), (8, 48), (2.5, 7.0), online=0.2),
    Scenario("card_testing", 0.25, (6, 9), (0.5, 3), (4.0, 10.0), tests=4, online=1.0),
    Scenario("foreign_night", 0.20, (2, 4), (12, 48), (1.5, 4.0), online=0.5, foreign=0.95, night=0.9),
)

AFTER = (
    Scenario("compromised_terminal", 0.10, (8, 16), (168, 336), (0.3, 1.2), at_terminal=True, online=0.5),
    Scenario("stolen_card", 0.40, (8, 14), (2, 8), (0.8, 2.5), online=0.95),
    Scenario("card_testing", 0.30, (7, 11), (1, 6), (2.0, 5.0), 4, test_amount=(5.0, 15.0), online=1.0),
    Scenario("foreign_night", 0.20, (2, 4), (12, 48), (0.5, 2.0), online=1.0, foreign=0.95, night=0.05),
)


@dataclass(frozen=True)
class FraudRows:
    """Fraudulent transactions; every array has shape (n,).

    Attributes:
        time: milliseconds since the start.
        customer: index of the customer.
        terminal: index of the terminal of an incident at a terminal, else -1: any will do.
        factor: amount in terms of the customer's mean; NaN for a small charge.
        charge: amount of a small charge.
        online: whether it happens online, where the terminal is free.
        foreign: whether it comes from another country.
        scenario: index of the scenario.
    """

    time: npt.NDArray[np.int64]
    customer: npt.NDArray[np.intp]
    terminal: npt.NDArray[np.intp]
    factor: npt.NDArray[np.float64]
    charge: npt.NDArray[np.float64]
    online: npt.NDArray[np.bool_]
    foreign: npt.NDArray[np.bool_]
    scenario: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.time)


def fraud_rows(
    rng: np.random.Generator,
    scenarios: tuple[Scenario, ...],
    count: int,
    period: tuple[int, int],
    *,
    customers: int,
    terminals: int,
) -> FraudRows:
    """The transactions within a period of incidents that began in it or shortly before.

    Args:
        rng: source of randomness.
        scenarios: what is played, in the shares the scenarios name.
        count: most transactions in all; hardly ever fewer come.
        period: milliseconds from and to.
        customers: how many customers there are.
        terminals: how many terminals there are.
    """
    borders = np.round(np.cumsum([0.0, *(scenario.share for scenario in scenarios)]) * count).astype(int)
    played = [
        dict(_incidents(rng, scenario, number, int(size), period, customers, terminals))
        for number, (scenario, size) in enumerate(zip(scenarios, np.diff(borders), strict=True))
    ]
    return FraudRows(**{name: np.concatenate([rows[name] for rows in played]) for name in played[0]})


def _incidents(
    rng: np.random.Generator,
    scenario: Scenario,
    number: int,
    size: int,
    period: tuple[int, int],
    customers: int,
    terminals: int,
) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    """The columns of one scenario's transactions, of incidents that reach into the period."""
    begin, end = period
    reach = scenario.hours[1] * _HOUR / (end - begin)
    drawn = int(2 * size / scenario.rows[0] * (1 + reach)) + 20
    span = rng.uniform(*scenario.hours, drawn) * _HOUR
    # The golden ratio spreads any number of incidents evenly, so every stretch has its share of fraud.
    spread = (rng.random() + np.arange(drawn) * _GOLDEN) % 1.0
    start = begin - span + spread * (end - begin + span)
    lengths = rng.integers(scenario.rows[0], scenario.rows[1] + 1, drawn)
    incident = np.repeat(np.arange(drawn), lengths)
    within = np.arange(len(incident)) - np.searchsorted(incident, incident)
    elapsed = rng.random(len(incident))
    elapsed = elapsed[np.lexsort((elapsed, incident))]
    time = start[incident] + elapsed * span[incident]
    night = np.floor(time / _DAY) * _DAY + rng.random(len(time)) * 5 * _HOUR
    time = np.where(rng.random(len(time)) < scenario.night, night, time)
    kept = np.flatnonzero((time >= begin) & (time < end))[:size]
    incident, small, size = incident[kept], within[kept] < scenario.tests, len(kept)
    victim = rng.integers(customers, size=drawn)[incident]
    place = rng.integers(terminals, size=drawn)[incident]
    yield "time", time[kept].astype(np.int64)
    yield "customer", rng.integers(customers, size=size) if scenario.at_terminal else victim
    yield "terminal", place if scenario.at_terminal else np.full(size, -1)
    yield "factor", np.where(small, np.nan, rng.uniform(*scenario.factor, size))
    yield "charge", rng.uniform(*scenario.test_amount, size)
    yield "online", rng.random(size) < scenario.online
    yield "foreign", rng.random(size) < scenario.foreign
    yield "scenario", np.full(size, number)
