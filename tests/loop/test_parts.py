"""The loop's parts alone; the whole of it is a test of its own, which needs Prometheus."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.metrics import matthews_corrcoef

from minorkey.cli import main
from minorkey.errors import SpecError, StateError
from minorkey.loop.checks import checks
from minorkey.loop.comparison import compare
from minorkey.loop.moments import KEYS, Moment, Observer
from minorkey.loop.page import clock, render
from minorkey.loop.plan import Plan, prepare
from minorkey.loop.prometheus import Prometheus
from minorkey.loop.services import Service, free_ports, require_programs, running
from minorkey.loop.surroundings import Files
from minorkey.simulation.stream import Sent, Tally
from tests.serving.bundles import small_bundle
from tests.simulation.test_stream import rows

PLAN = Plan(rows_a_day=200, history_days=4, healthy_seconds=5, longest_seconds=20, rate=100)


def answered(n: int, swap: int, wrong_before: float, wrong_after: float) -> list[Sent]:
    """Rows of which a share is called wrongly before and after a swap."""
    random = np.random.default_rng(0)
    found = []
    for number in range(n):
        label = int(random.random() < 0.3)
        wrong = random.random() < (wrong_before if number < swap else wrong_after)
        version = "1" if number < swap else "2"
        found.append(Sent(str(number), number % 300, float(number), label, 0.5, label ^ wrong, version, 0.0))
    return found


def test_the_concept_drifts_after_the_healthy_seconds(tmp_path: Path) -> None:
    data = prepare(PLAN, tmp_path)
    stream, history = pd.read_parquet(data.stream), pd.read_parquet(data.history)
    assert len(stream) == data.rows and len(history) + len(stream) == PLAN.rows_a_day * PLAN.days
    assert history["time"].max() < stream["time"].min() and stream["time"].is_monotonic_increasing
    day = (stream["time"] - history["time"].min().normalize()) / pd.Timedelta(days=1)
    assert (day.iloc[: data.first_drifted] < PLAN.drift_day).all()
    assert (day.iloc[data.first_drifted :] >= PLAN.drift_day).all()
    assert data.first_drifted == pytest.approx(PLAN.healthy_seconds * PLAN.rate, rel=0.3)


def test_the_comparison_scores_the_same_rows_with_the_first_version(tmp_path: Path) -> None:
    data, first = rows(300), small_bundle(tmp_path / "first")
    sent = answered(6_000, 4_000, 0.3, 0.02)
    found = compare(sent, data, first, "1", seed=0)
    later = sent[4_000:]
    stale = first.score(data.features)[1] >= first.info.threshold
    y = [row.label for row in later]
    assert found.rows == 2_000 and found.positives == sum(y)
    assert found.with_loop == pytest.approx(matthews_corrcoef(y, [row.predicted for row in later]))
    assert found.without_loop == pytest.approx(matthews_corrcoef(y, stale[[row.row for row in later]]))
    assert found.improved and found.low < found.with_loop - found.without_loop < found.high
    assert [window.seconds for window in found.windows] == [1_999.0, 3_999.0, 5_999.0]
    assert found.windows[2].with_loop == pytest.approx(found.with_loop)


def test_a_loop_that_gains_nothing_is_not_called_better(tmp_path: Path) -> None:
    data, first = rows(300), small_bundle(tmp_path / "first")
    stale = (first.score(data.features)[1] >= first.info.threshold).astype(int)
    sent = [
        dataclasses.replace(row, predicted=int(stale[row.row])) for row in answered(3_000, 1_000, 0.3, 0.3)
    ]
    found = compare(sent, data, first, "1", seed=0)
    assert (found.low, found.high) == (0.0, 0.0) and not found.improved
    assert compare(sent[:1_000], data, first, "1", seed=0) is None


def observer(tmp_path: Path, **moments: float) -> Observer:
    told: list[Moment] = []
    made = Observer(Prometheus("http://127.0.0.1:9"), ("", ""), tmp_path, None, "1", told.append)
    made.moments = {key: Moment(seconds, key, key) for key, seconds in moments.items()}
    return made


def test_the_loop_counts_as_closed_only_if_everything_happened_in_order(tmp_path: Path) -> None:
    data, first = rows(300), small_bundle(tmp_path / "first")
    sent = answered(6_000, 4_000, 0.3, 0.02)
    better = compare(sent, data, first, "1", seed=0)
    times = {key: float(number) for number, key in enumerate(KEYS)}
    tally = Tally(rows=sent)

    def unmet(tally: Tally = tally, comparison=better, **changes: float) -> list[str]:
        seen = observer(tmp_path, **(times | changes))
        return [check.key for check in checks(seen, tally, comparison) if not check.met]

    assert unmet() == []
    assert unmet(swap=times["fix"] - 0.5) == []
    assert unmet(alert=times["drift"] - 0.5) == ["alert"]
    assert unmet(tally=Tally(rows=sent, failed={"503": 1})) == ["unharmed"]
    assert unmet(comparison=None) == ["better"]
    del times["recovered"]
    assert unmet() == ["recovered"]


def test_a_part_that_does_not_answer_ends_nothing(tmp_path: Path) -> None:
    seen = observer(tmp_path)
    seen.look(Tally())
    assert seen.moments == {} and not seen.is_over(0.0)


def test_the_page_escapes_and_stands_alone(tmp_path: Path) -> None:
    data, first = rows(300), small_bundle(tmp_path / "first")
    found = compare(answered(6_000, 4_000, 0.3, 0.02), data, first, "1", seed=0)
    account = {"closed": False, "checks": [], "rows": 6_000, "failed": 0, "rate": 200}
    page = render(account, [Moment(65.0, "drift", "<b>the north</b>")], [], found)
    assert "&lt;b&gt;the north" in page and "1:05" in page and "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "did not close" in page


def test_time_is_told_in_minutes() -> None:
    assert [clock(seconds) for seconds in (0, 59.9, 61, 600)] == ["0:00", "0:59", "1:01", "10:00"]


def test_missing_programs_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StateError, match="apt-get install prometheus prometheus-alertmanager"):
        require_programs()


def test_a_service_ends_with_what_it_started_in_sessions_of_their_own(tmp_path: Path) -> None:
    serve = (
        "import http.server, subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "open('child', 'w').write(str(child.pid))\n"
        "http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), "
        "http.server.SimpleHTTPRequestHandler).serve_forever()\n"
    )
    port = free_ports().trigger
    script = f"import os; os.chdir({str(tmp_path)!r})\n{serve}"
    service = Service("parent", [sys.executable, "-c", script, str(port)], f"http://127.0.0.1:{port}/")
    with running([service], tmp_path / "logs"):
        child = psutil.Process(int((tmp_path / "child").read_text()))
        assert child.is_running()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_service_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    shell = shutil.which("sh")
    broken = Service("broken", [shell, "-c", "echo no such port; exit 1"], "http://127.0.0.1:9/ready")
    with (
        pytest.raises(StateError, match="broken does not start") as caught,
        running([broken], tmp_path / "logs"),
    ):
        pass
    assert "no such port" in str(caught.value)


def test_a_folder_that_no_loop_has_made_is_left_as_it_is(tmp_path: Path) -> None:
    project = tmp_path / "project"
    kept = [project / "data" / "mine.csv", project / "home" / "letter", project / "settings" / "run.yaml"]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.write_text("precious")
    with pytest.raises(StateError) as caught:
        Files.below(project)
    assert caught.value.key == "--out" and str(project) in str(caught.value) and caught.value.remedy
    assert all(file.read_text() == "precious" for file in kept)
    assert {path.name for path in project.iterdir()} == {"data", "home", "settings"}


def test_the_folder_of_an_earlier_loop_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "new" / "loop", tmp_path / "empty"):
        files = Files.below(out)
        for folder in ("home", "data", "series"):
            (out / folder).mkdir()
        (out / "notes").write_text("mine")
        files.account.write_text("{}")
        (files.settings / "old").touch()
        Files.below(out)
        assert {path.name for path in out.iterdir()} == {".minorkey-loop", "settings", "notes"}
        assert not any(files.settings.iterdir())


def test_a_loop_of_before_the_marker_is_known_by_its_settings(tmp_path: Path) -> None:
    settings = Files.below(tmp_path / "loop").settings
    (tmp_path / "loop" / ".minorkey-loop").unlink()
    for name in ("run.yaml", "retune.token", "feedback.token", "alertmanager.yaml"):
        (settings / name).touch()
    Files.below(tmp_path / "loop")
    assert not any(settings.iterdir())


@pytest.mark.parametrize("out", ["/proc/x", "taken"])
def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, out: str) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(StateError) as caught:
        Files.below(tmp_path / out)
    assert caught.value.key == "--out" and out in caught.value.value and caught.value.remedy


@pytest.mark.parametrize("option", [("--seed", "-1"), ("--longest", "40"), ("--longest", "9999999")])
def test_a_bad_option_is_refused_before_anything_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, str]
) -> None:
    account = Files.below(tmp_path).account
    account.write_text("{}")
    with pytest.raises(SystemExit) as ended:
        main(["loop", "--out", str(tmp_path), *option])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and option[0] in said and option[1] in said and "allowed" in said
    assert account.exists()
    with pytest.raises(SpecError):
        dataclasses.replace(PLAN, longest_seconds=PLAN.healthy_seconds)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_loop_that_is_told_to_end_ends_its_services(tmp_path: Path, number: signal.Signals) -> None:
    for name in ("prometheus", "prometheus-alertmanager"):  # are asked for, and not yet started
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    loop = psutil.Popen(
        [sys.executable, "-m", "minorkey", "loop", "--out", str(tmp_path / "loop")],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert any("training" in line for line in loop.stdout)
        started = loop.children(recursive=True)
        assert any("feedback" in child.cmdline() for child in started)
        loop.send_signal(number)
        assert loop.wait(60) == 128 + number
        assert psutil.wait_procs(started, 10)[1] == []
    finally:
        for process in (*loop.children(recursive=True), loop) if loop.is_running() else ():
            process.kill()
