"""What the join does, whatever the rows are kept in. A module gives the fixture ``url``."""

import concurrent.futures

import pytest

from minorkey.errors import StateError
from minorkey.feedback.messages import Batch
from minorkey.feedback.metrics import FeedbackMetrics
from minorkey.feedback.ripening import forget, ripen
from minorkey.feedback.shadows import record_shadows
from minorkey.serving.refusal import Refusal
from tests.feedback.places import DAY, Clock, counts, ids, intake_of, label, mature, record, shadow, store


class IntakeContract:
    def test_nothing_is_counted_before_the_horizon_and_once_after_it(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock)
        store(intake, record(1, 0.9), record(2, 0.9), record(3, 0.1), record(4, 0.1))
        assert intake.labels("cards", [label(1), label(3)]) == {"joined": 2}
        clock.now += DAY - 1
        assert ripen(intake) == 0 and counts(intake, "outcome") == {}
        clock.now += 1
        assert ripen(intake) == 4 and ripen(intake) == 0
        assert counts(intake, "outcome") == {"11": 1, "10": 1, "01": 1, "00": 1}
        assert counts(intake, "count") == {"0": 2, "1": 2}
        assert sum(counts(intake, "logit").values()) == 4

    def test_several_services_count_a_row_once(self, url: str) -> None:
        clock = Clock()
        intakes = [intake_of(url, clock) for _ in range(3)]
        store(intakes[0], *[record(number) for number in range(50)])
        clock.now += DAY
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            assert sum(pool.map(ripen, intakes)) == 50
        assert counts(intakes[0], "outcome") == {"10": 50}

    def test_duplicates_conflicts_and_early_and_unknown_labels_are_told_apart(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock)
        store(intake, record(1))
        for given, result in (
            (label(1), "joined"),
            (label(1), "duplicate"),
            (label(1, 0), "conflict"),
            (label(2), "early"),
            (label(2), "duplicate"),
            (label(2, 0), "conflict"),
            (label(9), "early"),
        ):
            assert intake.labels("cards", [given]) == {result: 1}
        assert store(intake, record(2))["labels_joined"] == 1
        assert intake.labels("cards", [label(2)]) == {"duplicate": 1}
        clock.now += 8 * DAY
        forget(intake)
        assert counts(intake, "label") == {"joined": 2, "duplicate": 2, "conflict": 1}
        assert counts(intake, "label", "") == {"early": 2, "duplicate": 1, "conflict": 1, "unknown": 1}
        assert ripen(intake) == 2 and counts(intake, "outcome") == {"11": 2}

    def test_a_label_after_the_count_is_late_and_changes_no_count(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock)
        store(intake, record(1))
        mature(intake, clock)
        assert intake.labels("cards", [label(1)]) == {"late": 1}
        assert ripen(intake) == 0 and counts(intake, "outcome") == {"10": 1}

    def test_a_record_that_comes_again_changes_nothing(self, url: str) -> None:
        intake = intake_of(url)
        assert store(intake, record(1), record(1))["recorded"] == 1
        intake.labels("cards", [label(1)])
        assert store(intake, record(1, 0.2)) == {"recorded": 0, "known": 1, "labels_joined": 0}
        assert intake.labels("cards", [label(1)]) == {"duplicate": 1}

    def test_with_full_labels_silence_is_no_negative(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, label_policy="full")
        store(intake, record(1), record(2))
        intake.labels("cards", [label(1, 0)])
        mature(intake, clock)
        assert counts(intake, "outcome") == {"10": 1} and counts(intake, "unlabelled") == {"": 1}

    def test_selective_labels_count_in_the_audit_slice_by_its_propensity(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, label_policy="selective")
        store(intake, *[record(number) for number in range(4)], record(4, 0.1))
        intake.labels(
            "cards",
            [
                label(0, intervened=True),
                label(1, None, intervened=True),
                label(2, 1, propensity=0.1),
                label(3, None, propensity=0.25),
            ],
        )
        mature(intake, clock)
        assert counts(intake, "outcome") == {"11": 10, "10": 4, "00": 1}
        assert counts(intake, "square") == {"11": 100, "10": 16, "00": 1}
        assert counts(intake, "count") == {"0": 2, "1": 1}
        assert counts(intake, "unlabelled") == {"": 2} and counts(intake, "audited") == {"": 2}
        assert counts(intake, "audited_weight") == {"": 14}

    @pytest.mark.parametrize("policy", ["delayed_positive", "selective"])
    def test_a_row_that_was_intervened_in_does_not_count_whatever_its_label(
        self, url: str, policy: str
    ) -> None:
        clock = Clock()
        intake = intake_of(url, clock, label_policy=policy)
        store(intake, *[record(number) for number in range(4)])
        intake.labels("cards", [label(0, intervened=True), label(1), label(2, None, intervened=True)])
        intake.labels("cards", [label(2, 0)])
        mature(intake, clock)
        assert counts(intake, "outcome") == {"11": 1, "10": 1} and counts(intake, "unlabelled") == {"": 2}

    def test_with_full_labels_the_label_of_a_row_that_was_intervened_in_counts(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, label_policy="full")
        store(intake, record(1), record(2))
        intake.labels("cards", [label(1, intervened=True), label(2, None, intervened=True)])
        mature(intake, clock)
        assert counts(intake, "outcome") == {"11": 1} and counts(intake, "unlabelled") == {"": 1}

    def test_a_row_is_intervened_in_or_audited_and_the_first_word_stands(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, label_policy="selective")
        store(intake, record(1), record(2))
        stopped, audited = {"intervened": True}, {"propensity": 0.25}
        for number, first, second in ((1, stopped, audited), (2, audited, stopped), (8, stopped, audited)):
            intake.labels("cards", [label(number, None, **first)])
            assert intake.labels("cards", [label(number, None, **second)]) == {"conflict": 1}
        store(intake, record(8))
        mature(intake, clock)
        assert counts(intake, "outcome") == {"10": 4} and counts(intake, "unlabelled") == {"": 2}

    def test_only_negatives_far_below_the_threshold_are_thinned_and_weigh_more(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, keep_negatives=0.2)
        low, high = range(400), range(1_000, 1_050)
        store(intake, *[record(number, 0.01) for number in low], *[record(number, 0.11) for number in high])
        intake.labels("cards", [label(number) for number in range(20)])
        assert len(ids(intake)) == 450
        mature(intake, clock)
        left = ids(intake)
        assert {f"r{number}" for number in (*range(20), *high)} <= left
        assert 40 < len(left) - 70 < 120
        assert counts(intake, "outcome") == {"01": 20, "00": 430}
        with intake.books.transaction(alone=False) as made:
            kept = {share for (share,) in made.rows("SELECT DISTINCT kept FROM minorkey_feedback_rows")}
        assert kept == {1.0, 0.2}

    def test_rows_are_deleted_by_id_and_by_age(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, keep_days=2)
        store(intake, record(1), record(2), record(3, time=clock.now + 5 * DAY))
        intake.labels("cards", [label(7)])
        assert intake.delete("cards", "r1") and not intake.delete("cards", "r1")
        assert intake.delete("cards", "r7") and ids(intake) == {"r2", "r3"}
        clock.now += 3 * DAY
        forget(intake)
        assert ids(intake) == {"r3"}

    def test_rows_of_a_model_that_is_no_longer_named_wait_and_are_deleted(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock)
        other = intake_of(url, clock, names=("claims", "loans"), keep_days=30)
        store(intake, *[record(number) for number in range(4)])
        shadow(intake, record(3))
        intake.labels("cards", [label(1)])
        clock.now += 9 * DAY
        backlog = FeedbackMetrics(other).text().decode().split("minorkey_feedback_backlog")[-1]
        assert ripen(other) == 0 and 'model="loans"' in backlog and 'model="cards"' not in backlog
        assert other.delete("cards", "r1") and not intake.delete("cards", "r1")
        with pytest.raises(Refusal):
            other.delete("cards", "r1")
        forget(other)
        assert ids(other) == {"r0", "r2", "r3"} and counts(other, "outcome") == {}
        assert ripen(intake) == 3, "the model is named again"
        clock.now += 22 * DAY
        forget(other)
        assert ids(other) == set()
        with other.books.transaction(alone=False) as made:
            assert not made.rows("SELECT id FROM minorkey_feedback_shadows")

    def test_counts_of_versions_go_once_nothing_has_been_heard_of_them_for_long(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, keep_days=30)

        def versions() -> set[str]:
            with intake.books.transaction(alone=False) as made:
                found = made.rows("SELECT DISTINCT version FROM minorkey_feedback_counts WHERE version <> ''")
            return {version for (version,) in found}

        def after(days: float) -> set[str]:
            clock.now += days * DAY
            ripen(intake)
            forget(intake)
            return versions()

        for number, version in enumerate("123"):
            store(intake, record(number), version=version)
        shadow(intake, record(2), version="4")
        store(intake, record(7, time=clock.now + 60 * DAY), version="2")
        assert after(1) == set("1234")
        store(intake, record(8, time=clock.now), version="3")
        assert after(29) == set("1234"), "30 days since the last change, to the day"
        assert after(1.5) == set("23"), "2 has a row, 3 was heard of later"
        assert after(400) == {"2"}, "its row was counted last"
        assert after(400) == {"2"}
        store(intake, record(9, time=clock.now), version="1")
        assert after(1) == {"1"} and counts(intake, "outcome", "1") == {"10": 1}

    def test_counts_that_an_earlier_version_left_are_new_at_the_first_look(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, keep_days=2)
        for number, version in enumerate("12"):
            store(intake, record(number), version=version)
        clock.now += 900 * DAY
        ripen(intake)
        forget(intake)
        assert counts(intake, "outcome", "1") and not ids(intake)
        clock.now += 3 * DAY
        forget(intake)
        assert not counts(intake, "outcome", "1") and counts(intake, "outcome", "2")

    def test_a_shadow_shares_outcome_and_label_of_the_row_and_changes_no_other_count(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock)
        shadow(intake, record(1, 0.1))  # before the champion's own record
        store(intake, record(1, 0.9), record(2, 0.1), record(3, 0.1), record(4, 0.9))
        assert shadow(intake, record(2, 0.3), record(3, 0.3)) == {"recorded": 2, "known": 0}
        assert shadow(intake, record(2, 0.0)) == {"recorded": 0, "known": 1}
        assert counts(intake, "shadow", "4") == {}
        assert intake.labels("cards", [label(1), label(2)]) == {"joined": 2}
        mature(intake, clock)
        assert counts(intake, "outcome") == {"11": 1, "10": 1, "01": 1, "00": 1}
        assert counts(intake, "outcome", "4") == {} and counts(intake, "label", "4") == {}
        # Champion's decision, challenger's, outcome, champion. Nobody scored row 4 in shadow.
        assert counts(intake, "shadow", "4") == {"1013": 1, "0113": 1, "0103": 1}
        assert counts(intake, "shadow_count", "4") == {"13": 2, "03": 1}
        assert len(ids(intake)) == 4

    def test_a_shadow_of_a_row_that_is_counted_already_is_counted_then(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock)
        store(intake, record(1), record(2))
        intake.labels("cards", [label(1)])
        mature(intake, clock)
        for _ in range(2):
            shadow(intake, record(1), record(2, 0.1))
        assert counts(intake, "shadow", "4") == {"1113": 1, "1003": 1}
        assert ripen(intake) == 0 and counts(intake, "shadow", "4") == {"1113": 1, "1003": 1}

    def test_late_shadows_stand_for_the_rows_that_were_thinned_away(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, keep_negatives=0.2)
        rows = [record(number, 0.01) for number in range(1_000)]
        store(intake, *rows)
        shadow(intake, *rows[:500])
        mature(intake, clock)
        assert counts(intake, "shadow", "4") == {"0003": 500}
        shadow(intake, *rows[500:])
        assert 850 < counts(intake, "shadow", "4")["0003"] < 1_150
        assert counts(intake, "shadow_square", "4")["0003"] > 2_000

    def test_shadows_of_selective_labels_count_in_the_audit_slice(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, label_policy="selective")
        store(intake, record(1), record(2), record(3, 0.1))
        shadow(intake, record(1), record(2), record(3))
        intake.labels("cards", [label(1, intervened=True), label(2, 1, propensity=0.1)])
        mature(intake, clock)
        assert counts(intake, "shadow", "4") == {"1113": 10, "0103": 1}
        assert counts(intake, "shadow_square", "4") == {"1113": 100, "0103": 1}

    def test_shadows_are_deleted_with_their_row_or_once_they_are_old(self, url: str) -> None:
        clock = Clock()
        intake = intake_of(url, clock, keep_days=30)
        store(intake, record(1), record(2))
        shadow(intake, record(1), record(2), record(7), record(8))
        assert intake.delete("cards", "r1") and intake.delete("cards", "r8")
        assert not intake.delete("cards", "r8")
        clock.now += 8 * DAY
        forget(intake)
        assert counts(intake, "shadow_unmatched", "4") == {"": 1}
        mature(intake, clock)
        assert counts(intake, "shadow", "4") == {"1103": 1}
        clock.now += 30 * DAY
        forget(intake)
        with intake.books.transaction(alone=False) as made:
            assert made.rows("SELECT id FROM minorkey_feedback_shadows") == []

    def test_a_stranger_is_refused_and_makes_no_series(self, url: str) -> None:
        intake = intake_of(url)
        for call in (
            lambda: intake.labels("stranger", [label(1)]),
            lambda: intake.predictions("stranger", "1", 0.5, [record(1)]),
            lambda: intake.delete("stranger", "r1"),
            lambda: record_shadows(intake, Batch("stranger", "2", 0.5, [record(1)], "1")),
        ):
            with pytest.raises(Refusal) as caught:
                call()
            assert caught.value.status == 404

    def test_tables_of_another_version_are_refused(self, url: str) -> None:
        intake = intake_of(url)
        with intake.books.transaction() as made:
            made.change("UPDATE minorkey_feedback_schema SET version = 99")
        with pytest.raises(StateError):
            intake_of(url)
