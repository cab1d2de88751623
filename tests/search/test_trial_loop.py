import contextlib
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from minorkey.errors import SpecError, StateError
from minorkey.search.journal import open_journal
from minorkey.search.records import Records
from minorkey.search.space import Space
from minorkey.search.trial_loop import StudyResult
from minorkey.trials.executor import Task
from minorkey.trials.local import LocalExecutor
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Configuration, Outcome, TrialResult
from tests.search.studies import SPACE, run_loop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    with LocalExecutor(2) as pool:
        yield pool


def choices(results: tuple[TrialResult, ...]) -> list[tuple[Configuration, Outcome, float | None]]:
    return [(result.configuration, result.outcome, result.value) for result in results]


@pytest.mark.parametrize("workers", [1, 3])
def test_exactly_the_asked_trials_are_run(tmp_path: Path, workers: int) -> None:
    with LocalExecutor(workers) as pool:
        done = run_loop(tmp_path, pool, trials=10)
        assert [result.number for result in done.results] == list(range(10))
        again = run_loop(tmp_path, pool, trials=10)
    assert again.results == done.results
    with open_journal(tmp_path) as storage:
        studies = storage.get_all_studies()
        states = [trial.state for study in studies for trial in storage.get_all_trials(study._study_id)]
    assert states.count(TrialState.COMPLETE) == 10
    assert TrialState.RUNNING not in states


def test_a_larger_budget_goes_on_where_the_smaller_ended(tmp_path: Path, executor: LocalExecutor) -> None:
    first = run_loop(tmp_path, executor, trials=5)
    second = run_loop(tmp_path, executor, trials=9)
    assert second.results[:5] == first.results and len(second.results) == 9


def test_the_consumer_hears_every_trial_once_a_call(tmp_path: Path, executor: LocalExecutor) -> None:
    for _ in range(2):
        heard: list[TrialResult] = []
        run_loop(tmp_path, executor, trials=6, on_result=heard.append)
        assert sorted(result.number for result in heard) == list(range(6))


@pytest.mark.parametrize("pruner", ["none", "halving"])
def test_a_reproducible_study_is_the_same_whatever_finishes_first(tmp_path: Path, pruner: str) -> None:
    studies = []
    for name, seconds in (("a", 0.0), ("b", 0.02)):
        with LocalExecutor(2) as pool:
            done = run_loop(
                tmp_path / name,
                pool,
                trials=24,
                reproducible=True,
                pruner_name=pruner,
                rungs=3,
                seconds=seconds,
            )
        studies.append(choices(done.results))
    assert studies[0] == studies[1]


class Interrupted(Exception):
    pass


def test_a_reproducible_study_is_the_same_after_an_interruption(
    tmp_path: Path, executor: LocalExecutor
) -> None:
    def study(folder: Path, on_result: Callable[[TrialResult], None]) -> StudyResult:
        return run_loop(
            folder,
            executor,
            trials=20,
            reproducible=True,
            pruner_name="halving",
            rungs=3,
            on_result=on_result,
        )

    def interrupt(result: TrialResult) -> None:
        heard.append(result.number)
        if len(heard) == stop:
            raise Interrupted

    whole = study(tmp_path / "whole", lambda result: None)
    for stop in (3, 8, 9, 15):  # noqa: B007 (read by interrupt)
        heard: list[int] = []
        with pytest.raises(Interrupted):
            study(tmp_path / "parts", interrupt)
    parts = study(tmp_path / "parts", lambda result: None)
    assert choices(parts.results) == choices(whole.results)


def test_seeds_differ_between_studies(tmp_path: Path, executor: LocalExecutor) -> None:
    one, two = (run_loop(tmp_path / str(seed), executor, seed=seed, trials=6) for seed in (1, 2))
    assert choices(one.results) != choices(two.results)


def test_known_configurations_come_first(tmp_path: Path, executor: LocalExecutor) -> None:
    start = tuple(Configuration(family="good", model={"x": x}) for x in (0.1, 0.9))
    space = Space(families=SPACE.families, start=start)
    done = run_loop(tmp_path, executor, space=space, trials=4)
    assert tuple(result.configuration for result in done.results[:2]) == start


def test_the_budget_moves_to_the_better_family(tmp_path: Path, executor: LocalExecutor) -> None:
    done = run_loop(tmp_path, executor, trials=30)
    good = sum(result.configuration.family == "good" for result in done.results)
    assert good >= 20
    assert max(result.value or 0 for result in done.results) > 0.89


def test_failures_are_results_and_are_not_repeated(tmp_path: Path, executor: LocalExecutor) -> None:
    done = run_loop(tmp_path, executor, trials=8, bad=[0, 3])
    failed = [result for result in done.results if result.outcome is Outcome.CRASHED]
    assert [result.number for result in failed] == [0, 3]
    assert failed[0].error == "RuntimeError: trial 0 is bad" and failed[0].value is None
    assert run_loop(tmp_path, executor, trials=8).results == done.results


def test_a_study_in_which_nothing_completes_is_an_error(tmp_path: Path, executor: LocalExecutor) -> None:
    with pytest.raises(SpecError) as caught:
        run_loop(tmp_path, executor, trials=3, bad=[0, 1, 2])
    assert "is bad" in str(caught.value) and caught.value.remedy


def test_pruned_trials_have_no_value(tmp_path: Path, executor: LocalExecutor) -> None:
    done = run_loop(tmp_path, executor, trials=30, pruner_name="halving", rungs=3, sampler="random")
    pruned = [result for result in done.results if result.outcome is Outcome.PRUNED]
    assert 3 < len(pruned) < 25
    assert all(result.value is None and result.reported for result in pruned)
    best = max(value for result in done.results for _, value in result.reported)
    assert max(result.value or 0 for result in done.results) == best


def test_no_trial_starts_after_the_time_out_and_that_is_final(
    tmp_path: Path, executor: LocalExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINORKEY_EVENTS", str(tmp_path / "events.jsonl"))
    done = run_loop(tmp_path, executor, trials=1_000, seconds=0.05, timeout=0.3)
    assert done.timed_out and 1 <= len(done.results) < 1_000
    told = (tmp_path / "events.jsonl").read_text()
    assert f"0.3 seconds, is over: {len(done.results)} of 1000 trials have ended" in told
    again = run_loop(tmp_path, executor, trials=1_000, seconds=0.05, timeout=0.3)
    assert again.results == done.results


def test_an_interrupted_study_has_used_up_the_time_of_its_trials(
    tmp_path: Path, executor: LocalExecutor
) -> None:
    begun = run_loop(tmp_path, executor, trials=8, seconds=0.05)
    spent = sum(result.seconds for result in begun.results) / executor.slots
    assert spent >= 0.2
    ended = run_loop(tmp_path, executor, trials=1_000, timeout=spent)
    assert ended.timed_out and ended.results == begun.results
    longer = run_loop(tmp_path, executor, trials=12, timeout=spent + 60)
    assert len(longer.results) == 12


def test_time_that_went_into_killed_and_crashed_trials_is_used_up_too(tmp_path: Path) -> None:
    class Hurried(LocalExecutor):
        def submit(self, task: Task) -> None:
            super().submit(dataclasses.replace(task, seconds=3.0))

    with Hurried(2) as pool:
        arguments = {"function": "stuck", "stuck": [1, 3], "bad": [2], "seconds": 0.02}
        begun = run_loop(tmp_path, pool, trials=5, **arguments)
        seconds = [result.seconds for result in begun.results]
        outcomes = [result.outcome for result in begun.results]
        assert [outcomes[number] for number in (1, 2, 3)] == [
            Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.TIMED_OUT,
        ]  # fmt: skip
        assert min(seconds) >= 0.02 and min(seconds[1], seconds[3]) >= 3.0
        ended = run_loop(tmp_path, pool, trials=1_000, timeout=3.0, **arguments)
    assert ended.timed_out and ended.results == begun.results


def test_a_lost_journal_is_built_again(tmp_path: Path, executor: LocalExecutor) -> None:
    run_loop(tmp_path, executor, trials=6)
    (tmp_path / "study.journal").unlink()
    done = run_loop(tmp_path, executor, trials=9)
    assert [result.number for result in done.results] == list(range(9))
    with open_journal(tmp_path) as storage:
        complete = [
            trial.user_attrs["number"]
            for study in storage.get_all_studies()
            for trial in storage.get_all_trials(study._study_id, states=(TrialState.COMPLETE,))
        ]
    assert sorted(complete) == list(range(9))


def test_a_trial_without_a_plan_is_failed_and_one_without_a_result_is_run(
    tmp_path: Path, executor: LocalExecutor
) -> None:
    run_loop(tmp_path, executor, trials=4)
    (tmp_path / "trials/final/0002/result.json").unlink()
    planned = Records(LocalStudyRoot(tmp_path), "final").plans()[2].configuration
    with open_journal(tmp_path) as storage:
        study = optuna.load_study(study_name="final/good", storage=storage)
        orphan = study.ask({"model.x": FloatDistribution(0.0, 1.0)})
        orphan.set_user_attr("number", 4)
    done = run_loop(tmp_path, executor, trials=5)
    assert len(done.results) == 5
    assert done.results[2].configuration == planned
    with open_journal(tmp_path) as storage:
        study = optuna.load_study(study_name="final/good", storage=storage)
        assert study.trials[orphan.number].state is TrialState.FAIL


def test_a_full_disk_in_a_worker_ends_the_study(tmp_path: Path, executor: LocalExecutor) -> None:
    with pytest.raises(StateError) as caught:
        run_loop(tmp_path, executor, trials=4, function="full_disk")
    assert "space" in str(caught.value).lower()
    assert len(run_loop(tmp_path, executor, trials=4).results) == 4


def test_a_second_driver_refuses_and_names_the_holder(tmp_path: Path, executor: LocalExecutor) -> None:
    with open_journal(tmp_path), pytest.raises(StateError) as caught:
        run_loop(tmp_path, executor)
    assert f"process {os.getpid()} on" in str(caught.value)


def test_another_specification_is_refused(tmp_path: Path) -> None:
    records = Records(LocalStudyRoot(tmp_path), "final")
    records.claim({"seed": 1})
    records.claim({"seed": 1})
    with pytest.raises(StateError, match="another specification"):
        records.claim({"seed": 2})


def driver(folder: Path, trials: int, seconds: float) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MINORKEY_EVENTS": os.devnull}
    command = [sys.executable, "-m", "tests.search.studies", str(folder), str(trials), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)


@pytest.mark.slow
def test_killed_at_any_moment_the_same_call_finishes(tmp_path: Path) -> None:
    """Drivers and workers are killed at random moments; what has finished stays as it is."""
    trials, rng, kept = 120, random.Random(5), {}
    for attempt in range(6):
        running = driver(tmp_path, trials, 0.02)
        assert running.stdout is not None
        workers = [int(word) for word in running.stdout.readline().split()]
        time.sleep(rng.uniform(0.0, 0.5))
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(workers) if attempt % 3 == 0 else running.pid, signal.SIGKILL)
        time.sleep(rng.uniform(0.0, 0.1))
        running.kill()
        running.wait()
        running.stdout.close()
        now = {path: path.read_bytes() for path in tmp_path.glob("trials/final/*/result.json")}
        assert kept.items() <= now.items()
        kept = now
    out, _ = driver(tmp_path, trials, 0.0).communicate(timeout=60)
    assert out.split()[-1] == str(trials)
    results = {path: path.read_bytes() for path in sorted(tmp_path.glob("trials/final/*/result.json"))}
    assert [int(path.parent.name) for path in results] == list(range(trials))
    assert {json.loads(content)["outcome"] for content in results.values()} == {"complete"}
    assert kept and kept.items() <= results.items()
