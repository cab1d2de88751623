import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minorkey.feedback import ripening
from minorkey.feedback.maturity import is_kept, keep_probability, outcome_of
from minorkey.feedback.ripening import ripen
from tests.feedback.intake_contract import IntakeContract
from tests.feedback.places import DAY, Clock, counts, intake_of, label, record, spec_of, store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'feedback.db'}"


class TestSqlite(IntakeContract):
    pass


class TestPostgres(IntakeContract):
    @pytest.fixture
    def url(self, database: str) -> str:
        return database


@given(
    st.sampled_from(["full", "delayed_positive", "selective"]),
    st.sampled_from([None, 0, 1]),
    st.booleans(),
    st.none() | st.floats(0.01, 1),
)
@settings(max_examples=80, deadline=None)
def test_an_outcome_is_never_invented(
    policy: str, known: int | None, intervened: bool, share: float | None
) -> None:
    outcome, weight = outcome_of(policy, known, intervened, share)
    assert outcome in (None, 0, 1) and weight >= 0
    if outcome == 1:
        assert known == 1
    if known is None and policy == "full":
        assert outcome is None
    if policy != "full" and intervened:
        assert outcome is None
    if outcome is not None:
        assert weight == (1.0 if share is None else 1.0 / share)


def test_scores_near_the_threshold_are_all_kept_and_the_share_falls_with_the_score() -> None:
    model = spec_of(keep_negatives=0.1).models["cards"]
    shares = [keep_probability(score, 0.5, model) for score in (0.0, 0.03, 0.05, 0.07, 0.09, 0.1, 0.6)]
    assert shares == pytest.approx([0.1, 0.28, 0.46, 0.64, 0.82, 1.0, 1.0])
    kept = sum(is_kept("cards", str(number), 0.3) for number in range(5_000))
    assert 1_350 < kept < 1_650
    assert all(is_kept("cards", str(number), 1.0) for number in range(100))


def _die_in_the_middle(url: str, clock: Clock) -> None:
    write = ripening._write

    def dying(*arguments: object) -> None:
        write(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    ripening._write = dying
    ripen(intake_of(url, clock))


def test_a_kill_while_counting_counts_nothing_twice(url: str) -> None:
    clock = Clock()
    intake = intake_of(url, clock)
    store(intake, record(1), record(2))
    intake.labels("cards", [label(1)])
    clock.now += DAY
    intake.books.close()
    process = multiprocessing.get_context("fork").Process(target=_die_in_the_middle, args=(url, clock))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert counts(intake, "outcome") == {}
    assert ripen(intake) == 2 and counts(intake, "outcome") == {"11": 1, "10": 1}
