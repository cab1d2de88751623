import numpy as np
import pytest

from minorkey.drift.detectors import DETECTORS, alarms, detector
from minorkey.errors import ShapeError, SpecError


def stream(name: str, shift: float, seed: int = 0) -> np.ndarray:
    """Values, and as many more after a shift. KSWIN costs a test a value and gets fewer."""
    half = 200 if name == "kswin" else 1_000
    random = np.random.default_rng(seed)
    if DETECTORS[name]:
        return (random.random(2 * half) < np.repeat([0.1, 0.1 + 0.4 * shift], half)).astype(float)
    return random.normal(np.repeat([0.0, 3 * shift], half), 1)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_change_is_found_soon_and_quiet_streams_stay_quiet(name):
    # At their defaults these three alarm on noise alone.
    stricter = {
        "page_hinkley": {"delta": 0.5},
        "kswin": {"alpha": 1e-5, "window_size": 60, "stat_size": 20},
        "ddm": {"warm_start": 100, "drift_threshold": 4.0},
    }
    options = stricter.get(name, {})
    quiet = sum(len(alarms(detector(name, **options), stream(name, 0.0, seed))) for seed in range(2))
    found = alarms(detector(name, **options), stream(name, 1.0))
    assert quiet <= 1
    change = len(stream(name, 1.0)) // 2
    assert found and change <= found[0] < change + 150


def test_kswin_is_the_same_for_the_same_seed():
    values = stream("kswin", 1.0)
    assert alarms(detector("kswin"), values) == alarms(detector("kswin"), values)


@pytest.mark.parametrize(
    ("name", "value"), [("adwin", np.nan), ("kswin", np.inf), ("ddm", 0.5), ("hddm_a", 2)]
)
def test_values_that_mean_nothing_are_refused(name, value):
    with pytest.raises(ShapeError):
        detector(name).update(value)


def test_unknown_detectors_and_options_are_refused_with_the_known_ones():
    with pytest.raises(SpecError, match="adwin, kswin"):
        detector("cusum")
    with pytest.raises(SpecError, match="delta") as caught:
        detector("adwin", alpha=0.1)
    assert caught.value.key == "detector.alpha"
