"""What a column's name says about a time: that of the event, another one, or nothing.

Names are compared word by word (``send_time``, ``sendTime`` and ``sendtime`` hold the words send and time),
so that a word inside another one, such as the end in vendor, says nothing.
"""

import re
from enum import IntEnum

__all__ = ["NameRank", "names_a_time", "rank_of_name", "words_of"]


class NameRank(IntEnum):
    """How well a name fits the time of the event; a greater one fits better."""

    OTHER = -1  #: it tells of another time: birth_date, label_time
    NOTHING = 0  #: it does not speak of a time
    VAGUE = 1  #: of some time: vendor_ts
    DEED = 2  #: of a time at which something was done: created_at, Reported on
    BARE = 3  #: of a time and nothing else: timestamp, date
    EVENT = 4  #: of an event: transaction_time, occurred


def _set(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_TIMES = _set(
    "time times date dated dates datetime timestamp timestamps tstamp stamp ts dt dttm when day month",
    "week datum zeit zeitpunkt uhrzeit moment epoch unix",
)
_NEUTRAL = _set(
    "utc gmt local iso s sec secs second seconds ms millis milliseconds us micros microseconds ns nanos",
    "nanoseconds of the in is at on from to since",
)
_EVENTS = _set(
    "event events transaction transactions trans tran txn tx trx order ordered purchase purchased payment",
    "sale sold occurred occurrence happened incident accident visit visited admission admitted call",
    "called click clicked measurement measured observation observed sampled trade traded booking booked",
    "invoice invoiced charge charged",
)
_DEEDS = _set(
    "create created creation open opened opening report reported reporting log logged record recorded",
    "receive received request requested submit submitted submission apply applied application start",
    "started begin began send sent post posted posting issue issued place placed file filed enter entered",
    "inserted ingested publish published capture captured trigger triggered raised taken",
)
_OTHERS = _set(
    "dob born death died known due until till end ended ending ends close closed closing closure valid",
    "validity dispute disputed fraud back change changed edited expected planned scheduled estimated eta",
    "forecast predicted prediction target outcome decided decision last latest previous prev prior next",
    "first deadline maturity cancelled canceled cancellation refund refunded returned complete completed",
    "completion finish finished stop stopped deleted archived update modified",
)
_KNOWN = _TIMES | _NEUTRAL | _EVENTS | _DEEDS | _OTHERS
_OTHER_STEMS = re.compile(
    r"birth|expir|updat|modif|chargeback|resol|deliver|label|(?:end|due|until)(?:date|time|datetime|day|ts)$"
)
_TIME_ENDING = re.compile(r"(?:time|date|timestamp|datum|zeit|zeitpunkt)$")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LETTERS = re.compile(r"[^\W\d_]+")
#: A word is cut into known words no shorter than this.
_SHORTEST = 2


def rank_of_name(name: str) -> NameRank:
    """How well a column's name fits the time of the event."""
    words = words_of(name)
    if any(word in _OTHERS or (word not in _KNOWN and _OTHER_STEMS.search(word)) for word in words):
        return NameRank.OTHER
    if _EVENTS.intersection(words):
        return NameRank.EVENT
    if _DEEDS.intersection(words):
        return NameRank.DEED
    if not _speaks_of_a_time(words):
        return NameRank.NOTHING
    return NameRank.BARE if _KNOWN.issuperset(words) else NameRank.VAGUE


def names_a_time(name: str) -> bool:
    """Whether the name says so clearly that values are times that numbers may be read as such."""
    words = words_of(name)
    return _speaks_of_a_time(words) or any(word[-2:] == "ed" and word in _EVENTS | _DEEDS for word in words)


def words_of(name: str) -> list[str]:
    """The words of a name in small letters, cut at humps, digits, signs, and between words known here."""
    words = _LETTERS.findall(_HUMP.sub(" ", name).lower())
    return [part for word in words for part in _cut(word) or [word]]


def _speaks_of_a_time(words: list[str]) -> bool:
    last_word_tells = len(words) > 1 and words[-1] in ("at", "on")
    return last_word_tells or any(
        word in _TIMES or (word not in _KNOWN and _TIME_ENDING.search(word)) for word in words
    )


def _cut(word: str) -> list[str]:
    """The known words that the word is made of, one after the other; empty if it is not."""
    if word in _KNOWN:
        return [word]
    for place in range(len(word) - _SHORTEST, _SHORTEST - 1, -1):
        if word[:place] in _KNOWN and (rest := _cut(word[place:])):
            return [word[:place], *rest]
    return []
