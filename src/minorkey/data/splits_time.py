"""The split by time: train on the past whose labels are known, test on what comes after."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minorkey.data.dataset import Dataset
from minorkey.data.durations import DAY, format_instant, parse_duration, parse_instant
from minorkey.data.folds_forward import time_partitions
from minorkey.data.partitions import FINAL, Part, Split
from minorkey.data.timeline import MATURE, Mask, Timeline
from minorkey.errors import DataError, SpecError
from minorkey.progress import emit
from minorkey.spec import SplitSpec

__all__ = ["split_by_time"]


@dataclass(frozen=True)
class _Cuts:
    """Borders of the split, in seconds since 1970-01-01 UTC; `since` bounds what counts as known."""

    train_start: float
    train_end: float
    test_start: float
    test_end: float
    since: float


def split_by_time(dataset: Dataset, spec: SplitSpec, *, trained_until: float | None = None) -> Split:
    """Split at a point in time, with forward blocks as tuning folds.

    Training ends one label delay before the test begins, and a row whose label is not known when
    the test begins is left out. With entities the blocks alone keep past and future apart: an
    entity may appear on both sides of a fold, as it will in production.

    Args:
        dataset: every row there is.
        spec: the split section.
        trained_until: on a retune, until when the version that it starts from was trained, in seconds
            since 1970. The test lies later, and ``test_fraction`` is that of the later rows: what has come
            since then has to teach as well as to judge.

    Raises:
        DataError: a side is empty or lacks a class, or an event time is missing.
        SpecError: a key of the split section does not fit the data.
    """
    _check_exclude_known(dataset, spec)
    delay = parse_duration(spec.label_delay, key="split.label_delay")
    timeline = Timeline.of(dataset, delay=delay, exclude_known=spec.exclude_known is not None)
    windows = _windows(spec)
    cuts = _cuts(timeline, spec, windows, trained_until)
    train = timeline.trainable(cuts.test_start) & (timeline.event >= cuts.train_start)
    train &= timeline.event < cuts.train_end
    test = (timeline.event >= cuts.test_start) & (timeline.event < cuts.test_end)
    test &= timeline.judgeable
    excluded = test & timeline.already_known(train, cuts.test_start, cuts.since)
    test &= ~excluded
    _require_classes(timeline, train, test, cuts)
    _say_aloud(timeline, cuts, int(excluded.sum()))
    rows = np.flatnonzero(train)
    partitions = time_partitions(timeline.take(rows), spec.folds, known_window=cuts.train_end - cuts.since)
    part = Part(FINAL, np.arange(len(rows)), partitions)
    membership = _membership(spec, cuts, timeline, windows, dataset.schema.roles.get("event_time"))
    return Split(rows, np.flatnonzero(test), (part,), "time", membership)


def _say_aloud(timeline: Timeline, cuts: _Cuts, excluded: int) -> None:
    begin = max(cuts.train_start, float(timeline.event.min()))
    text = (
        f"trained on {format_instant(begin)} to {format_instant(cuts.train_end)}, "
        f"tested from {format_instant(cuts.test_start)}"
    )
    if timeline.maturity > timeline.delay:
        text += (
            f"; rows younger than {timeline.maturity / DAY:.3g} days are left out of training, since "
            f"{MATURE:.0%} of the labels are known only at that age"
        )
    unknown = int((timeline.label == np.inf).sum())
    if unknown:
        text += (
            f"; {unknown:,} rows without a label time count as not known yet: they and rows younger than "
            f"{timeline.maturity / DAY:.3g} days are neither trained nor tested on"
        )
    if excluded:
        text += f"; {excluded:,} test rows of entities already known are left out"
    emit("assumed", text=text)


def _check_exclude_known(dataset: Dataset, spec: SplitSpec) -> None:
    entity = dataset.schema.roles.get("entity")
    if spec.exclude_known is not None and (dataset.entity is None or spec.exclude_known != entity):
        raise SpecError(
            "known entities can be excluded only by the column of the entity role",
            key="split.exclude_known",
            value=spec.exclude_known,
            allowed=entity or "a column that data.entity names",
            remedy=f"set data.entity: {spec.exclude_known}",
        )


def _cuts(
    timeline: Timeline, spec: SplitSpec, windows: tuple[float, ...], trained_until: float | None
) -> _Cuts:
    first, last = float(timeline.event.min()), float(timeline.event.max())
    if trained_until is not None:
        first = max(first, trained_until)
    if spec.test_start is not None:
        test_start = _inside(spec.test_start, "split.test_start", first, last)
    elif trained_until is not None:
        test_start = _start_among_later(timeline, spec, trained_until)
    else:
        events = np.sort(timeline.event[timeline.judgeable])
        if not len(events):
            raise _no_label_is_due(timeline)
        place = min(int(np.ceil(len(events) * (1 - spec.test_fraction))), len(events) - 1)
        test_start = float(events[place])
    test_end = np.inf
    if spec.test_window is not None:
        test_end = test_start + parse_duration(spec.test_window, key="split.test_window")
    train_end = test_start - timeline.maturity
    window = (
        None if spec.train_window is None else parse_duration(spec.train_window, key="split.train_window")
    )
    longest = max(windows, default=np.inf if window is None else window)
    if spec.train_start is not None:
        train_start = since = _inside(spec.train_start, "split.train_start", -np.inf, train_end)
        train_end = train_end if window is None else min(train_end, train_start + window)
        train_start = max(train_start, train_end - longest)
    else:
        train_start, since = train_end - longest, train_end - (longest if window is None else window)
    return _Cuts(train_start, train_end, test_start, test_end, since)


def _start_among_later(timeline: Timeline, spec: SplitSpec, trained_until: float) -> float:
    """Where the test of a retune begins.

    It holds `test_fraction` of the later rows; if those are too few positives for a comparison, as many as
    `min_test_positives` asks for, but no more than half of the later ones.
    """
    later = timeline.judgeable & (timeline.event >= trained_until)
    order = np.argsort(timeline.event[later], kind="stable")
    events, positives = timeline.event[later][order], timeline.y[later][order]
    if not positives.any():
        raise DataError(
            "no positive is later than what the version to start from was trained on",
            key="base_version",
            value=f"{len(events):,} rows from {format_instant(trained_until)} on",
            allowed="newer rows with their labels",
            remedy="give newer rows (--feedback, or newer data), or tune without --base-version",
        )
    place = min(int(np.ceil(len(events) * (1 - spec.test_fraction))), len(events) - 1)
    wanted = min(spec.min_test_positives, int(positives.sum()) // 2)
    since_end = np.cumsum(positives[::-1])[::-1]
    enough = np.flatnonzero(since_end >= wanted)
    return float(events[min(place, int(enough.max(initial=0)))])


def _no_label_is_due(timeline: Timeline) -> DataError:
    return DataError(
        "no row is old enough for its label to be known",
        key="data.label_time",
        value=f"{int((timeline.label < np.inf).sum()):,} of {len(timeline.y):,} rows have one, at an age "
        f"of up to {timeline.maturity / DAY:.3g} days",
        allowed="rows that are older than that, with the time at which their label became known",
        remedy="gather more rows, or fill data.label_time",
    )


def _windows(spec: SplitSpec) -> tuple[float, ...]:
    """The training windows to search over, in seconds, ascending; none if there is no choice."""
    if not spec.train_windows:
        return ()
    windows = {parse_duration(text, key="split.train_windows") for text in spec.train_windows}
    if spec.train_window is not None:
        windows.add(parse_duration(spec.train_window, key="split.train_window"))
    return tuple(sorted(windows))


def _inside(text: str, key: str, first: float, last: float) -> float:
    instant = parse_instant(text, key=key)
    if not first <= instant <= last:
        start = format_instant(first) if np.isfinite(first) else "the past"
        raise SpecError(
            "the time lies outside of what the data and the other keys leave",
            key=key,
            value=text,
            allowed=f"{start} to {format_instant(last)}",
        )
    return instant


def _require_classes(timeline: Timeline, train: Mask, test: Mask, cuts: _Cuts) -> None:
    sides = (
        ("training", train, cuts.train_start, cuts.train_end),
        ("test", test, cuts.test_start, cuts.test_end),
    )
    for name, side, begin, end in sides:
        labels = timeline.y[side]
        if 0 < labels.sum() < len(labels):
            continue
        begin, end = max(begin, timeline.event.min()), min(end, timeline.event.max())
        raise DataError(
            f"the {name} rows would hold one class only"
            if len(labels)
            else f"no row is left for the {name} side",
            key="split",
            value=f"{int(labels.sum()):,} positives in {len(labels):,} {name} rows "
            f"between {format_instant(begin)} and {format_instant(end)}",
            allowed="both classes on both sides",
            remedy="move split.test_start or split.train_start, change the windows or split.label_delay, "
            "or set split.kind: hash",
        )


def _membership(
    spec: SplitSpec, cuts: _Cuts, timeline: Timeline, windows: tuple[float, ...], column: str | None
) -> dict[str, Any]:
    def finite(seconds: float) -> float | None:
        return seconds if np.isfinite(seconds) else None

    return {
        "kind": "time",
        "event_time": column,
        "train_start": finite(cuts.train_start),
        "train_end": cuts.train_end,
        "train_windows": list(windows),
        "test_start": cuts.test_start,
        "test_end": finite(cuts.test_end),
        "label_delay": timeline.delay,
        "maturity": timeline.maturity,
        "exclude_known": spec.exclude_known,
        "known_since": finite(cuts.since),
    }
