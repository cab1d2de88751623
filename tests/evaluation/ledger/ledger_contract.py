"""What every ledger must do. A module of an implementation gives the fixture ``ledger``."""

import concurrent.futures

from minorkey.evaluation.ledger import OpeningLedger


class LedgerContract:
    def test_each_run_is_one_opening(self, ledger: OpeningLedger) -> None:
        assert [ledger.open("a", run) for run in ("one", "two", "one", "three", "two")] == [1, 2, 1, 3, 2]
        assert ledger.open("b", "one") == 1
        assert ledger.openings("a") == 3
        assert ledger.openings("never") == 0

    def test_concurrent_runs_get_openings_of_their_own(self, ledger: OpeningLedger) -> None:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            opened = list(pool.map(lambda run: ledger.open("test", f"run-{run}"), range(18)))
        assert sorted(opened) == list(range(1, 19))
        assert ledger.openings("test") == 18

    def test_one_run_that_opens_twice_at_once_opens_once(self, ledger: OpeningLedger) -> None:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            assert set(pool.map(lambda _: ledger.open("test", "run"), range(6))) == {1}
