"""The parts of a time, against the calendar."""

import numpy as np
import pandas as pd

from minorkey.data.times import Times


def test_parts_agree_with_the_calendar():
    stamps = pd.date_range("1931-05-05 03:17", "2093-01-01", freq="37h13min")
    seconds = (stamps - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
    parts = Times.fit(seconds.to_numpy(np.float64), cyclic=False, trend=True).parts(
        seconds.to_numpy(np.float64)
    )
    assert np.allclose(parts["hour"], stamps.hour + stamps.minute / 60)
    assert np.array_equal(parts["weekday"], stamps.day_of_week)
    apart = np.abs(parts["day of year"] - (stamps.day_of_year - 1))
    assert np.minimum(apart, 365.2425 - apart).max() < 1.6
    assert np.array_equal(parts["day"], (stamps.normalize() - pd.Timestamp(0)).days)


def test_waves_are_smooth_across_midnight_and_bounded():
    seconds = np.arange(0, 14 * 86_400, 60.0)
    parts = Times.fit(seconds, cyclic=True, trend=False).parts(seconds)
    assert set(parts) == {
        f"{cycle} {wave}" for cycle in ("hour", "weekday", "day of year") for wave in ("wave", "shifted wave")
    }
    for wave in ("hour wave", "hour shifted wave"):
        assert np.abs(np.diff(parts[wave])).max() < 0.01
        assert np.ptp(parts[wave]) > 1.99 and np.abs(parts[wave]).max() <= 1


def test_the_day_number_stays_within_training():
    days = np.arange(100, 200) * 86_400.0
    learned = Times.fit(days, cyclic=False, trend=True)
    assert learned.parts(np.array([0.0, 150 * 86_400.0, 1e10]))["day"].tolist() == [100, 150, 199]
    assert "day" not in Times.fit(days, cyclic=False, trend=False).parts()


def test_missing_times_are_the_median():
    learned = Times.fit(np.array([0.0, 3_600.0, 7_200.0, np.nan]), cyclic=False, trend=False)
    assert learned.indicator and learned.parts(np.array([np.nan]))["hour"].tolist() == [1.0]
