"""Tests whether two samples come from one distribution, one file each."""

from minorkey.drift.two_sample.chi_squared import ChiSquared
from minorkey.drift.two_sample.classifier import ClassifierTwoSample
from minorkey.drift.two_sample.jensen_shannon import JensenShannon
from minorkey.drift.two_sample.kolmogorov_smirnov import KolmogorovSmirnov
from minorkey.drift.two_sample.mmd import MaximumMeanDiscrepancy
from minorkey.drift.two_sample.population_stability import PopulationStability
from minorkey.drift.two_sample.protocol import Outcome, TwoSampleTest
from minorkey.drift.two_sample.sample import Sample
from minorkey.errors import SpecError

__all__ = ["TWO_SAMPLE_TESTS", "Outcome", "Sample", "TwoSampleTest", "two_sample_test"]

_ALL: tuple[TwoSampleTest, ...] = (
    KolmogorovSmirnov(),
    ChiSquared(),
    JensenShannon(),
    PopulationStability(),
    MaximumMeanDiscrepancy(),
    ClassifierTwoSample(),
)

#: Every test by name, at its defaults.
TWO_SAMPLE_TESTS: dict[str, TwoSampleTest] = {one.name: one for one in _ALL}


def two_sample_test(name: str) -> TwoSampleTest:
    """The test of that name.

    Raises:
        SpecError: there is none.
    """
    if name not in TWO_SAMPLE_TESTS:
        raise SpecError(
            "there is no such two-sample test",
            key="test",
            value=name,
            allowed="one of " + ", ".join(TWO_SAMPLE_TESTS),
        )
    return TWO_SAMPLE_TESTS[name]
