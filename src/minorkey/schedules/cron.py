"""Cron expressions as Kubeflow Pipelines takes them: six fields, seconds first.

Source: github.com/robfig/cron v1, with which KFP parses them. It takes five fields too, but then as second,
minute, hour, day and month, so that ``0 3 * * 1`` would run in January at three minutes past every hour.
And an expression that never comes, such as the 30th of February, KFP takes for one that is long due.
"""

import re

from minorkey.errors import SpecError

__all__ = ["require_cron"]

_NAMES = ("second", "minute", "hour", "day of month", "month", "day of week")
_BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORDS: tuple[dict[str, int], ...] = (
    *({},) * 4,
    {name: number for number, name in enumerate(_MONTHS, start=1)},
    {name: number for number, name in enumerate(_DAYS)},
)
#: The most days that each month has.
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?:(\*|\?)|(\w+)(?:-(\w+))?)(?:/(\w+))?")
_ALLOWED = (
    "six fields: second minute hour day-of-month month day-of-week, each *, N, N-M, N/STEP, N-M/STEP or a "
    "list with commas; day of week 0 (Sunday) to 6, or SUN to SAT"
)


def require_cron(text: str, *, key: str) -> str:
    """The expression with single blanks, if Kubeflow Pipelines would understand it as it is meant.

    Args:
        text: the expression.
        key: what it belongs to, for the message.

    Raises:
        SpecError: it has another number of fields, a field that is not understood or out of its bounds, more
            than one second of a minute, or never comes.
    """
    fields = text.split()
    if len(fields) != len(_NAMES):
        raise _refused(_number_of_fields(text, fields), key, text, _way_out(text, fields))
    numbers = []
    for name, bounds, words, field in zip(_NAMES, _BOUNDS, _WORDS, fields, strict=True):
        try:
            numbers.append(_numbers(field.lower(), bounds, words))
        except ValueError as error:
            raise _refused(f"the field {name} of the cron expression {error}", key, text) from None
    if len(numbers[0]) > 1:
        raise _refused(
            "the cron expression starts more than one run a minute",
            key,
            text,
            f"name one second, such as 0: {' '.join(['0', *fields[1:]])}",
        )
    if _never(fields, numbers):
        raise _refused("the cron expression never comes: no such month has that day", key, text)
    return " ".join(fields)


def _number_of_fields(text: str, fields: list[str]) -> str:
    if text.startswith("@"):
        return "a cron expression is written in fields"
    if text.upper().startswith(("TZ=", "CRON_TZ=")):
        return "a cron expression of Kubeflow Pipelines has no time zone of its own"
    return f"the cron expression has {len(fields)} fields, not six"


def _way_out(text: str, fields: list[str]) -> str:
    if text.upper().startswith(("TZ=", "CRON_TZ=")):
        return (
            "leave the zone out; all schedules follow CRON_SCHEDULE_TIMEZONE of the deployment "
            "ml-pipeline-scheduledworkflow, which is UTC unless set"
        )
    if len(fields) == 5:
        return f"put the second in front: 0 {' '.join(fields)}"
    return "write it as in 0 0 3 * * *, every day at 03:00"


def _refused(
    problem: str, key: str, text: str, remedy: str = "correct it; 0 0 3 * * * is every day at 03:00"
) -> SpecError:
    return SpecError(problem, key=key, value=repr(text), allowed=_ALLOWED, remedy=remedy)


def _numbers(field: str, bounds: tuple[int, int], words: dict[str, int]) -> set[int]:
    """The numbers that a field stands for.

    Raises:
        ValueError: with what is wrong, as the end of a sentence.
    """
    return {number for part in field.split(",") for number in _range(part, bounds, words)}


def _range(part: str, bounds: tuple[int, int], words: dict[str, int]) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"has {part!r}, which is not understood")
    star, first, last, step_text = match.groups()
    low, high = bounds
    start = low if star else _number(first, words)
    # "N/STEP" goes on to the end, "N" alone is N.
    end = _number(last, words) if last else high if star or step_text else start
    step = 1 if step_text is None else _number(step_text, {})
    if step < 1:
        raise ValueError(f"has {part!r}, whose step is not above 0")
    if not low <= start <= end <= high:
        raise ValueError(f"has {part!r}, which is not within {low} to {high}")
    return range(start, end + 1, step)


def _number(text: str, words: dict[str, int]) -> int:
    if text in words:
        return words[text]
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise ValueError(
            f"has {text!r}, which is not a number" + (f" or one of {', '.join(words)}" if words else "")
        )
    return int(text)


def _never(fields: list[str], numbers: list[set[int]]) -> bool:
    """Whether no month has one of the days. With a day of the week beside a plain day either will do."""
    day, week_day = fields[3], fields[5]
    if not _starred(day) and not _starred(week_day):
        return False
    return all(min(numbers[3]) > _LENGTHS[month - 1] for month in numbers[4])


def _starred(field: str) -> bool:
    return any(part[0] in "*?" for part in field.split(","))
