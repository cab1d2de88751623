"""What people see of a run: on a terminal, in a pipe, not at all."""

import io

import pytest

from minorkey.view import Progress, watching


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def trial(number: int, value: float | None, outcome: str = "complete", **more: object) -> list[dict]:
    common = {"part": "final", "number": number, "family": f"family-{number}"}
    return [
        {"event": "trial_started", **common},
        {"event": "trial_finished", "outcome": outcome, "value": value, **common, **more},
    ]


STEP = {"event": "step_started", "step": "tune"}
STUDY = {"event": "study_started", "part": "final", "trials": 20, "time": 1_000.0}


def told(*events: dict) -> Progress:
    progress = Progress(20)
    for event in events:
        progress.take(event)
    return progress


def test_progress_counts_trials_once_and_keeps_the_best_complete_one():
    progress = told(
        STEP,
        STUDY,
        *trial(0, 0.3),
        *trial(1, 0.9, "pruned"),
        *trial(2, 0.5),
        *trial(2, 0.5),
        *trial(3, 0.4)[:1],
    )
    assert (progress.done, progress.total) == (3, 20)
    assert (progress.best, progress.best_family) == (0.5, "family-2")
    assert list(progress.running.values()) == ["family-3"]


def test_time_left_is_paced_by_this_sessions_trials_only():
    before = trial(0, 0.3)[1] | {"replayed": True}
    progress = told(before, STEP, STUDY, *trial(1, 0.3), *trial(2, 0.3))
    assert progress.seconds_left(1_030.0) is None
    progress.take(trial(3, 0.3)[1])
    assert progress.done == 4
    assert progress.seconds_left(1_030.0) == pytest.approx(10.0 * 16)


def test_parts_that_each_need_a_trial_raise_the_total():
    progress = Progress(2)
    for part in ("outer-0-0", "outer-0-1", "final"):
        progress.take({**STUDY, "part": part, "trials": 1})
    assert progress.total == 3


def test_lines_in_a_pipe_say_assumptions_steps_and_every_tenth_of_the_trials():
    stream = io.StringIO()
    events = [{"event": "assumed", "text": "the rare value is 1"}, STEP, STUDY]
    events += [event for number in range(20) for event in trial(number, number / 100)]
    events += [
        {"event": "warned", "text": "few rows"},
        {"event": "step_finished", "step": "tune", "seconds": 3.21},
    ]
    with watching(quiet=False, trials=20, stream=stream) as view:
        for event in events:
            view(event)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "assumed: the rare value is 1"
    assert lines[1] == "tune ..."
    assert lines[-2:] == ["warned: few rows", "tune took 3.2 s"]
    trials = [line for line in lines if line.startswith("  trials")]
    assert len(trials) == 10
    assert trials[-1] == "  trials 20 of 20, best AP 0.1900 (family-19)"


def test_quiet_says_nothing():
    stream = Terminal()
    with watching(quiet=True, trials=20, stream=stream) as view:
        view({"event": "warned", "text": "few rows"})
    assert stream.getvalue() == ""


def test_a_terminal_shows_the_trials_as_they_are():
    stream = Terminal()
    with watching(quiet=False, trials=20, stream=stream) as view:
        for event in [STEP, STUDY, *trial(0, 0.25), *trial(1, 0.5)[:1]]:
            view(event)
        view.live.refresh()
    shown = stream.getvalue()
    assert "1 of 20" in shown and "0.2500 (family-0)" in shown and "family-1" in shown
