"""The built-in data: card transactions in time order, with fraud, drift and late labels."""

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.cards_fraud import AFTER, BEFORE, FraudRows, fraud_rows
from minorkey.data.cards_history import PastRows
from minorkey.data.cards_population import CATEGORIES, CHANNELS, COUNTRIES, Population
from minorkey.errors import SpecError

__all__ = ["generate_cards"]

_HOUR = 3_600_000
_DAY = 24 * _HOUR
#: Days before the first row that are played, so that histories are full from the start.
_WARM_UP = 14


def generate_cards(
    *,
    rows: int = 60_000,
    days: int = 56,
    seed: int = 0,
    drift_day: int | None = None,
    scenario: bool = False,
    customers: int | None = None,
    terminals: int | None = None,
    fraud_share: float = 0.008,
    label_delay_days: float = 7.0,
    start: str = "2025-01-06",
) -> pd.DataFrame:
    """Card transactions in time order.

    A fraud is confirmed some days after it happened, and a transaction that nobody disputed counts
    as genuine after ``label_delay_days``. Histories are made of strictly earlier transactions, and
    the known share of fraud at a terminal of labels that were out by then.

    Args:
        rows: number of transactions.
        days: length of the period.
        seed: seed of everything random.
        drift_day: day, counted from 0, on which the fraudsters change their ways; None: never.
        scenario: add the column ``scenario``, which gives the answer away.
        customers: number of customers; default: 1.5 transactions a day each.
        terminals: number of terminals; default: as many as customers.
        fraud_share: share of fraudulent transactions.
        label_delay_days: days after which every label is known.
        start: the first day, as an ISO 8601 date.

    Returns:
        One row a transaction: ``transaction_id``, ``time``, ``customer``, ``terminal``, ``amount``,
        ``merchant_category``, ``channel``, ``country`` and ``customer_age`` (both with missing
        values), ``distance_km``, the histories ``customer_*`` and ``terminal_*``, ``fraud`` (0 or 1)
        and ``label_time``.

    Raises:
        SpecError: an option is out of range.
    """
    _check(dict(locals()))
    customers = customers or max(20, round(rows / days / 1.5))
    terminals = terminals or max(10, customers)
    rng = np.random.default_rng(seed)
    population = Population.draw(rng, customers, terminals)
    plan = _plan(rng, rows, days, drift_day, fraud_share, population)
    table = _transactions(rng, plan, population)
    table = _sorted_by_time(table)
    table |= _labels(rng, table, label_delay_days)
    table |= _histories(table, population, int(label_delay_days * _DAY))
    return _frame(table, population, pd.Timestamp(start), scenario)


_RANGES: dict[str, tuple[type | tuple[type, ...], float, float]] = {
    "rows": (int, 100, 100_000_000),
    "days": (int, 2, 3_650),
    "seed": (int, 0, 2**63 - 1),
    "drift_day": (int, 1, 3_650),
    "scenario": (bool, 0, 1),
    "customers": (int, 1, 10_000_000),
    "terminals": (int, 1, 10_000_000),
    "fraud_share": ((int, float), 0.0005, 0.5),
    "label_delay_days": ((int, float), 0.1, 365),
}


def _check(options: dict[str, Any]) -> None:
    for name, (kind, low, high) in _RANGES.items():
        value, optional = options[name], name in ("drift_day", "customers", "terminals")
        high = (
            min(high, options["days"] - 1)
            if name == "drift_day" and isinstance(options["days"], int)
            else high
        )
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if (value is None and optional) or (fits and low <= value <= high):
            continue
        raise SpecError(
            "the option of builtin:cards does not fit",
            key=f"data.options.{name}",
            value=value,
            allowed="true or false" if kind is bool else f"a number from {low:,} to {high:,}",
        )
    try:
        datetime.date.fromisoformat(options["start"])
    except (TypeError, ValueError):
        raise SpecError(
            "the option of builtin:cards does not fit",
            key="data.options.start",
            value=options["start"],
            allowed="a date such as 2025-01-06",
        ) from None


@dataclass(frozen=True)
class _Plan:
    """The incidents, and how many genuine transactions fall into which period (milliseconds)."""

    incidents: tuple[FraudRows, ...]
    genuine: tuple[tuple[int, int, int], ...]


def _plan(
    rng: np.random.Generator,
    rows: int,
    days: int,
    drift_day: int | None,
    fraud_share: float,
    population: Population,
) -> _Plan:
    warm, total = _WARM_UP * _DAY, (_WARM_UP + days) * _DAY
    drift = total if drift_day is None else warm + drift_day * _DAY
    frauds = max(2, round(rows * fraud_share))
    before = round(frauds * (drift - warm) / (total - warm))
    warm_rows = round(rows * _WARM_UP / days)
    warm_frauds = round(warm_rows * fraud_share)
    played = (
        (BEFORE, warm_frauds, (0, warm)),
        (BEFORE, before, (warm, drift)),
        (AFTER, frauds - before, (drift, total)),
    )
    incidents = tuple(
        fraud_rows(
            rng, scenarios, count, period, customers=population.customers, terminals=population.terminals
        )
        for scenarios, count, period in played
        if period[1] > period[0]
    )
    played_out = sum(len(part) for part in incidents[1:])
    return _Plan(incidents, ((warm_rows - warm_frauds, 0, warm), (rows - played_out, warm, total)))


def _transactions(
    rng: np.random.Generator, plan: _Plan, population: Population
) -> dict[str, npt.NDArray[Any]]:
    """Genuine and fraudulent transactions, in any order."""
    tables = [population.genuine(rng, *period) for period in plan.genuine]
    tables += [population.fraudulent(rng, rows) for rows in plan.incidents if len(rows)]
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def _sorted_by_time(table: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    order = np.argsort(table["time"], kind="stable")
    return {name: values[order] for name, values in table.items()}


def _labels(
    rng: np.random.Generator, table: dict[str, npt.NDArray[Any]], delay_days: float
) -> dict[str, npt.NDArray[Any]]:
    """Whether each row is a fraud, and when that became known (milliseconds)."""
    fraud = table["scenario"] >= 0
    waited = np.full(len(fraud), delay_days)
    confirmed = rng.lognormal(np.log(delay_days / 3), 0.6, int(fraud.sum()))
    waited[fraud] = np.minimum(confirmed, delay_days)
    return {"fraud": fraud.astype(np.int8), "label_time": table["time"] + (waited * _DAY).astype(np.int64)}


def _histories(
    table: dict[str, npt.NDArray[Any]], population: Population, delay: int
) -> dict[str, npt.NDArray[Any]]:
    """Histories by customer and terminal, as of just before each row."""
    amount, fraud = table["amount"], table["fraud"]
    by_customer = PastRows(table["customer"], table["time"])
    by_terminal = PastRows(table["terminal"], table["time"])
    # The pair of customer and country as one group.
    visited = PastRows(table["customer"] * len(COUNTRIES) + table["country"], table["time"])
    hour, day, week = (by_customer.window(length) for length in (_HOUR, _DAY, 7 * _DAY))
    return {
        "customer_count_1h": hour.count(),
        "customer_count_1d": day.count(),
        "customer_mean_amount_1d": day.mean(amount),
        "customer_count_7d": week.count(),
        "customer_mean_amount_7d": week.mean(amount),
        "customer_country_count_7d": visited.window(7 * _DAY).count(),
        "terminal_count_1d": by_terminal.window(_DAY).count(),
        "terminal_count_7d": by_terminal.window(7 * _DAY).count(),
        "terminal_fraud_share_1d": by_terminal.window(_DAY, before=delay).mean(fraud),
        "terminal_fraud_share_7d": by_terminal.window(7 * _DAY, before=delay).mean(fraud),
    }


def _frame(
    table: dict[str, npt.NDArray[Any]], population: Population, start: pd.Timestamp, scenario: bool
) -> pd.DataFrame:
    warm = _WARM_UP * _DAY
    table = {name: values[table["time"] >= warm] for name, values in table.items()}

    def stamps(milliseconds: npt.NDArray[np.int64]) -> pd.Series:
        return pd.Series(
            (milliseconds - warm).astype("timedelta64[ms]") + start.to_datetime64().astype("M8[ms]")
        )

    columns: dict[str, Any] = {
        "transaction_id": np.arange(len(table["time"])),
        "time": stamps(table["time"]).astype("datetime64[us]"),
        "customer": population.customer_names[table["customer"]],
        "terminal": population.terminal_names[table["terminal"]],
        "amount": table["amount"],
        "merchant_category": CATEGORIES[table["category"]],
        "channel": CHANNELS[table["channel"]],
        "country": COUNTRIES[table["country"]],
        "customer_age": population.age[table["customer"]],
        "distance_km": table["distance"],
        **{name: table[name] for name in table if name.startswith(("customer_", "terminal_"))},
        "fraud": table["fraud"],
        "label_time": stamps(table["label_time"]).astype("datetime64[us]"),
    }
    if scenario:
        names = np.array([*(played.name for played in BEFORE), "genuine"], dtype=object)
        columns["scenario"] = names[table["scenario"]]
    return pd.DataFrame(columns)
