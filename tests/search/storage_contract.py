"""What every study storage must do. A module of an implementation gives the fixture ``url``.

Its value is what `open_storage` takes: "" for the journal file, the address of a PostgreSQL database.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from minorkey.errors import StateError
from minorkey.search.records import Records
from minorkey.search.storage import open_storage
from minorkey.trials.local import LocalExecutor
from minorkey.trials.study_root import LocalStudyRoot
from tests.search.studies import run_loop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    with LocalExecutor(2) as pool:
        yield pool


def states(folder: Path, url: str) -> list[tuple[int, TrialState]]:
    """Number and state of every trial in the books; -1 where the driver was killed before it gave one."""
    with open_storage(LocalStudyRoot(folder), url) as books:
        found = []
        for study in books.storage.get_all_studies():
            if study.study_name.startswith(f"{books.prefix}final/"):
                trials = books.storage.get_all_trials(study._study_id)
                found += [(trial.user_attrs.get("number", -1), trial.state) for trial in trials]
    return sorted(found)


def driver(folder: Path, url: str, trials: int, seconds: float) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "MINORKEY_EVENTS": os.devnull,
        "MINORKEY_DATABASE_URL": url,
    }
    command = [sys.executable, "-m", "tests.search.studies", str(folder), str(trials), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)


def await_results(folder: Path, count: int, running: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while len(list(folder.glob("trials/final/*/result.json"))) < count:
        assert running.poll() is None and time.monotonic() < end
        time.sleep(0.02)


class StorageContract:
    def test_exactly_the_asked_trials_are_run(
        self, tmp_path: Path, url: str, executor: LocalExecutor
    ) -> None:
        done = run_loop(tmp_path, executor, trials=8, database=url)
        assert [result.number for result in done.results] == list(range(8))
        again = run_loop(tmp_path, executor, trials=8, database=url)
        assert again.results == done.results
        longer = run_loop(tmp_path, executor, trials=11, database=url)
        assert longer.results[:8] == done.results and len(longer.results) == 11
        assert states(tmp_path, url) == [(number, TrialState.COMPLETE) for number in range(11)]

    def test_the_seed_decides_what_is_proposed_whatever_the_storage(
        self, tmp_path: Path, url: str, executor: LocalExecutor
    ) -> None:
        def study(name: str, database: str) -> list[object]:
            done = run_loop(
                tmp_path / name,
                executor,
                trials=22,
                database=database,
                reproducible=True,
                pruner_name="halving",
                rungs=3,
            )
            return [(result.configuration, result.outcome, result.value) for result in done.results]

        assert study("one", url) == study("journal", "")

    def test_studies_do_not_see_each_other(self, tmp_path: Path, url: str, executor: LocalExecutor) -> None:
        for name in ("a", "b"):
            run_loop(tmp_path / name, executor, trials=3, database=url)
        assert [number for number, _ in states(tmp_path / "a", url)] == [0, 1, 2]

    def test_a_trial_without_a_plan_is_failed_and_one_without_a_result_is_run(
        self, tmp_path: Path, url: str, executor: LocalExecutor
    ) -> None:
        run_loop(tmp_path, executor, trials=4, database=url)
        (tmp_path / "trials/final/0002/result.json").unlink()
        planned = Records(LocalStudyRoot(tmp_path), "final").plans()[2].configuration
        with open_storage(LocalStudyRoot(tmp_path), url) as books:
            study = optuna.load_study(study_name=f"{books.prefix}final/good", storage=books.storage)
            orphan = study.ask({"model.x": FloatDistribution(0.0, 1.0)})
            orphan.set_user_attr("number", 4)
        done = run_loop(tmp_path, executor, trials=5, database=url)
        assert len(done.results) == 5 and done.results[2].configuration == planned
        found = states(tmp_path, url)
        assert (4, TrialState.FAIL) in found
        assert TrialState.RUNNING not in {state for _, state in found}

    def test_a_second_driver_is_refused_and_hears_of_the_first(self, tmp_path: Path, url: str) -> None:
        root = LocalStudyRoot(tmp_path)
        with open_storage(root, url), pytest.raises(StateError) as caught, open_storage(root, url):
            pass
        assert f"process {os.getpid()} on" in caught.value.problem and caught.value.remedy
        with open_storage(LocalStudyRoot(tmp_path / "other"), url), open_storage(root, url):
            pass

    def test_a_killed_drivers_study_is_free_at_once_and_its_results_are_kept(
        self, tmp_path: Path, url: str, executor: LocalExecutor
    ) -> None:
        """Killed twice, at moments drawn from a seed; the last call finishes."""
        rng, kept = random.Random(3), {}
        for done in (2, 8):
            running = driver(tmp_path, url, 24, 0.3)
            assert running.stdout is not None
            with contextlib.closing(running.stdout):
                await_results(tmp_path, done, running)
                with pytest.raises(StateError, match=f"process {running.pid} on"):
                    run_loop(tmp_path, executor, trials=24, database=url)
                time.sleep(rng.uniform(0.0, 0.1))
                running.send_signal(signal.SIGKILL)
                running.wait()
            now = {path: path.read_bytes() for path in tmp_path.glob("trials/final/*/result.json")}
            assert kept.items() <= now.items()
            kept = now
        whole = run_loop(tmp_path, executor, trials=24, database=url)
        assert [result.number for result in whole.results] == list(range(24))
        assert all(path.read_bytes() == content for path, content in kept.items())
        outcomes = [
            json.loads(path.read_bytes())["outcome"] for path in tmp_path.glob("trials/final/*/result.json")
        ]
        assert outcomes == ["complete"] * 24
        found = states(tmp_path, url)
        assert TrialState.RUNNING not in {state for _, state in found}
        assert [number for number, state in found if state is TrialState.COMPLETE] == list(range(24))
