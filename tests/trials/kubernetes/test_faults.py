from pathlib import Path

from tests.trials.kubernetes.storm import CALLS, WATCHES, weather


def test_no_trial_is_lost_run_twice_or_left_over_whatever_goes_wrong(tmp_path: Path) -> None:
    found = weather(tmp_path, faults=200, slots=10)
    assert found["faults_in_all"] >= 200
    kinds = {fault.value for fault in (*CALLS, *WATCHES)}
    assert set(found["faults"]) == kinds
    assert found["jobs"] == found["tasks"]
    for nothing in ("lost", "jobs_started_twice", "ran_more_than_once", "left_over"):
        assert found[nothing] == 0, nothing
