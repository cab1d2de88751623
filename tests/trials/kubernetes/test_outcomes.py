from typing import Any

import pytest

from minorkey.trials.kubernetes.outcomes import is_over, outcome_of, over_deadline, seconds_since
from minorkey.trials.trial import Outcome


def job(kind: str = "", reason: str = "") -> dict[str, Any]:
    conditions = [{"type": kind, "status": "True", "reason": reason}] if kind else []
    return {"metadata": {"name": "j"}, "status": {"conditions": conditions}}


def pod(code: int | None = None, reason: str = "Error", message: str = "", **status: Any) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    statuses = [] if code is None else [{"state": state}]
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": statuses, **status}}


FAILED = job("Failed", "BackoffLimitExceeded")
DISRUPTED = {
    "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]
}


@pytest.mark.parametrize(
    ("left", "owner", "outcome"),
    [
        (pod(137, "OOMKilled"), FAILED, Outcome.OUT_OF_MEMORY),
        (pod(137, "OOMKilled", **DISRUPTED), FAILED, Outcome.OUT_OF_MEMORY),
        (pod(137), FAILED, Outcome.EVICTED),
        (pod(143), FAILED, Outcome.EVICTED),
        (pod(75), FAILED, Outcome.EVICTED),
        (pod(1, **DISRUPTED), FAILED, Outcome.EVICTED),
        (pod(reason="Evicted"), FAILED, Outcome.EVICTED),
        (None, None, Outcome.EVICTED),
        (pod(1), FAILED, Outcome.CRASHED),
        (pod(0, "Completed"), job("Complete"), Outcome.CRASHED),
        (pod(143), job("Failed", "DeadlineExceeded"), Outcome.TIMED_OUT),
        (pod(143), job("FailureTarget", "DeadlineExceeded"), Outcome.TIMED_OUT),
        ({**pod(), "status": {"reason": "DeadlineExceeded", "startTime": "x"}}, FAILED, Outcome.TIMED_OUT),
        (None, job("Failed", "DeadlineExceeded"), Outcome.EVICTED),
        (pod(), job("Failed", "DeadlineExceeded"), Outcome.EVICTED),
    ],
)
def test_outcomes(left: dict[str, Any] | None, owner: dict[str, Any] | None, outcome: Outcome) -> None:
    found, why = outcome_of(left, owner)
    assert found is outcome and why and "\n" not in why


def test_a_crash_carries_the_last_words() -> None:
    _, why = outcome_of(pod(3, message="first\nModuleNotFoundError: no module\n"), FAILED)
    assert why == "the pod ended with exit status 3: ModuleNotFoundError: no module"


def test_a_job_is_over_when_it_says_so() -> None:
    assert is_over(FAILED) and is_over(job("Complete"))
    assert not is_over(job()) and not is_over(job("FailureTarget", "DeadlineExceeded"))


def test_a_deadline_is_told_by_pod_or_job() -> None:
    assert not over_deadline(pod(143), FAILED) and not over_deadline(None, None)


def test_times_of_the_api() -> None:
    assert seconds_since("1970-01-01T00:01:00Z", 100.0) == 40.0
