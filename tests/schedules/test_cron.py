"""Cron expressions, before anything is sent."""

import pytest

from minorkey.errors import SpecError
from minorkey.schedules import require_cron


@pytest.mark.parametrize(
    "text",
    [
        "0 0 3 * * *",
        "30 15 0,12 1-7 */2 ?",
        "0 0/15 * * * *",
        "0 0 9 ? * mon-FRI",
        "0 0 0 29 FEB *",
        "0 0 0 30 2 1",  # the 30th or a Monday
    ],
)
def test_six_fields_are_taken(text):
    assert require_cron(f"  {text.replace(' ', '  ')}", key="x") == text


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("0 3 * * 1", "5 fields, not six", "0 0 3 * * 1"),
        ("@daily", "written in fields", "0 0 3 * * *"),
        ("TZ=Europe/Berlin 0 0 3 * * *", "no time zone", "CRON_SCHEDULE_TIMEZONE"),
        ("", "0 fields", "0 0 3 * * *"),
        ("0 0 3 * * * 2026", "7 fields", "0 0 3 * * *"),
        ("0 60 3 * * *", "field minute .*'60'.*0 to 59", "correct it"),
        ("0 0 24 * * *", "field hour", "correct it"),
        ("0 0 3 0 * *", "field day of month", "correct it"),
        ("0 0 3 * 13 *", "field month", "correct it"),
        ("0 0 3 * * 7", "field day of week .*0 to 6", "correct it"),
        ("0 0 3 * * monday", "'monday'.*sun, mon", "correct it"),
        ("0 5-3 * * * *", "'5-3'", "correct it"),
        ("0 */0 * * * *", "step is not above 0", "correct it"),
        ("0 1,,2 * * * *", "not understood", "correct it"),
        ("0 1--2 * * * *", "not understood", "correct it"),
        ("0 \u0663 * * * *", "not a number", "correct it"),
        ("* 0 3 * * *", "more than one run a minute", "0 0 3 * * *"),
        ("0 0 3 30 2 *", "never comes", "correct it"),
        ("0 0 3 31 4,6,9,11 ?", "never comes", "correct it"),
    ],
)
def test_all_else_is_refused_with_the_schedule_the_value_and_what_is_allowed(text, problem, remedy):
    with pytest.raises(SpecError, match=problem) as caught:
        require_cron(text, key="schedule nightly: cron")
    error = caught.value
    assert (error.key, error.value) == ("schedule nightly: cron", repr(text))
    assert "six fields: second minute hour" in error.allowed and remedy in error.remedy
