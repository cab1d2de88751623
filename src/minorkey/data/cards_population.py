"""Customers and terminals of the built-in card transactions, and how they trade."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from minorkey.data.cards_fraud import FraudRows

__all__ = ["CATEGORIES", "CHANNELS", "COUNTRIES", "Population"]

_HOUR = 3_600_000
_DAY = 24 * _HOUR

CATEGORIES = np.array(
    ["grocery", "fuel", "restaurant", "pharmacy", "fashion", "electronics", "travel", "games", "gift_cards"],
    dtype=object,
)
#: Typical amount of a category in terms of the customer's mean, and its share of the terminals.
_CATEGORY_FACTOR = np.array([0.8, 1.0, 0.7, 0.5, 1.3, 2.2, 2.8, 0.6, 1.0])
_CATEGORY_SHARE = np.array([0.25, 0.1, 0.18, 0.1, 0.12, 0.08, 0.05, 0.07, 0.05])

CHANNELS = np.array(["chip", "contactless", "online"], dtype=object)
_ONLINE = 2

#: The last one stands for a missing value.
COUNTRIES = np.array(["DE", "FR", "NL", "IT", "ES", "US", "GB", "BR", None], dtype=object)
_COUNTRY_SHARE = np.array([0.45, 0.2, 0.1, 0.08, 0.06, 0.05, 0.04, 0.02])
_MISSING_COUNTRY = 8

#: Side of the square in which everybody lives, in kilometres.
_SIDE = 300.0
_NEARBY = 12

Table = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Population:
    """Customers and terminals; arrays by customer or by terminal."""

    home: npt.NDArray[np.float64]
    country: npt.NDArray[np.intp]
    mean_amount: npt.NDArray[np.float64]
    activity: npt.NDArray[np.float64]
    peak_hour: npt.NDArray[np.float64]
    online_share: npt.NDArray[np.float64]
    age: npt.NDArray[np.float64]
    place: npt.NDArray[np.float64]
    category: npt.NDArray[np.intp]
    nearby: npt.NDArray[np.intp]

    @classmethod
    def draw(cls, rng: np.random.Generator, customers: int, terminals: int) -> Self:
        """A random population."""
        home, place = rng.uniform(0, _SIDE, (customers, 2)), rng.uniform(0, _SIDE, (terminals, 2))
        near = min(_NEARBY, terminals)
        nearby = cKDTree(place).query(home, k=near)[1].reshape(customers, near)
        age = np.clip(rng.normal(45, 16, customers).round(), 18, 95)
        age[rng.random(customers) < 0.05] = np.nan
        return cls(
            home=home,
            country=rng.choice(len(_COUNTRY_SHARE), customers, p=_COUNTRY_SHARE),
            mean_amount=rng.lognormal(3.4, 0.5, customers),
            activity=np.cumsum(rng.gamma(2.0, 1.0, customers)),
            peak_hour=rng.normal(14, 3, customers),
            online_share=rng.beta(2, 5, customers),
            age=age,
            place=place,
            category=rng.choice(len(CATEGORIES), terminals, p=_CATEGORY_SHARE),
            nearby=nearby,
        )

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.home)

    @property
    def terminals(self) -> int:
        """Number of terminals."""
        return len(self.place)

    @property
    def customer_names(self) -> npt.NDArray[np.object_]:
        """Name of each customer."""
        return np.array([f"C{number:07d}" for number in range(self.customers)], dtype=object)

    @property
    def terminal_names(self) -> npt.NDArray[np.object_]:
        """Name of each terminal."""
        return np.array([f"T{number:07d}" for number in range(self.terminals)], dtype=object)

    def genuine(self, rng: np.random.Generator, count: int, begin: int, end: int) -> Table:
        """Genuine transactions of a period in milliseconds: near home mostly, at usual hours mostly."""
        customer = np.searchsorted(self.activity, rng.random(count) * self.activity[-1], side="right")
        online = rng.random(count) < self.online_share[customer]
        nearby = self.nearby[customer, rng.integers(self.nearby.shape[1], size=count)]
        far = rng.random(count) < 0.03
        terminal = np.where(online | far, rng.integers(self.terminals, size=count), nearby)
        mean = self.mean_amount[customer] * _CATEGORY_FACTOR[self.category[terminal]]
        amount = mean * rng.lognormal(-0.3, 0.8, count)
        subscription = online & (rng.random(count) < 0.05)
        amount[subscription] = rng.uniform(0.5, 10.0, int(subscription.sum()))
        return self._table(
            rng,
            time=_times(rng, self.peak_hour[customer], begin, end),
            customer=customer,
            terminal=terminal,
            amount=amount,
            online=online,
            foreign=rng.random(count) < np.where(online, 0.03, 0.01),
            scenario=np.full(count, -1),
        )

    def fraudulent(self, rng: np.random.Generator, rows: FraudRows) -> Table:
        """The transactions of incidents."""
        count = len(rows)
        terminal = np.where(rows.terminal < 0, rng.integers(self.terminals, size=count), rows.terminal)
        large = rows.factor * self.mean_amount[rows.customer]
        return self._table(
            rng,
            time=rows.time,
            customer=rows.customer,
            terminal=terminal,
            amount=np.where(np.isnan(large), rows.charge, large),
            online=rows.online,
            foreign=rows.foreign,
            scenario=rows.scenario,
        )

    def _table(
        self,
        rng: np.random.Generator,
        *,
        time: npt.NDArray[np.int64],
        customer: npt.NDArray[np.intp],
        terminal: npt.NDArray[np.intp],
        amount: npt.NDArray[np.float64],
        online: npt.NDArray[np.bool_],
        foreign: npt.NDArray[np.bool_],
        scenario: npt.NDArray[np.intp],
    ) -> Table:
        count = len(time)
        away = rng.integers(len(_COUNTRY_SHARE), size=count)
        country = np.where(foreign, away, self.country[customer])
        country[rng.random(count) < 0.03] = _MISSING_COUNTRY
        apart = np.hypot(*(self.home[customer] - self.place[terminal]).T)
        return {
            "time": time,
            "customer": customer,
            "terminal": terminal,
            "amount": np.maximum(amount, 0.01).round(2),
            "category": self.category[terminal],
            "channel": np.where(online, _ONLINE, (rng.random(count) < 0.6).astype(np.intp)),
            "country": country,
            "distance": np.where(online, np.nan, apart.round(1)),
            "scenario": scenario,
        }


def _times(
    rng: np.random.Generator, peak_hour: npt.NDArray[np.float64], begin: int, end: int
) -> npt.NDArray[np.int64]:
    """Times around each customer's peak hour, some at any hour, more on the last days of the week."""
    count = len(peak_hour)
    days = (end - begin) // _DAY
    weight = np.where(np.arange(days) % 7 >= 4, 1.2, 1.0)
    day = rng.choice(days, count, p=weight / weight.sum())
    hour = np.where(rng.random(count) < 0.08, rng.uniform(0, 24, count), rng.normal(peak_hour, 3.5))
    return (begin + day * _DAY + (hour % 24) * _HOUR).astype(np.int64)
