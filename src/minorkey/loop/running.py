"""Plays the loop: trains, starts everything, streams, watches, and judges what happened."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from minorkey.aside import put_text, written_aside
from minorkey.data.dataset import Dataset
from minorkey.data.loading import load_dataset
from minorkey.drift.dashboard.preview import preview
from minorkey.loop.checks import Check, checks
from minorkey.loop.comparison import Comparison, compare
from minorkey.loop.moments import Moment, Observer
from minorkey.loop.page import render
from minorkey.loop.plan import MODEL, LoopData, Plan, prepare, run_spec
from minorkey.loop.prometheus import Prometheus
from minorkey.loop.services import Ports, free_ports, require_programs, running
from minorkey.loop.surroundings import Files, services, write_files
from minorkey.registry import load_version
from minorkey.serving import local
from minorkey.settings import alone
from minorkey.simulation.account import answered_rows
from minorkey.simulation.labels import LabelPlan
from minorkey.simulation.stream import Tally, Traffic, stream
from minorkey.spec import RunSpec
from minorkey.tracking import version_of

__all__ = ["Account", "run_loop"]

_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Account:
    """What a loop came to.

    Attributes:
        closed: whether everything happened.
        checks: what had to happen.
        page: the HTML page.
        comparison: with the loop and without it; None if no other version ever answered.
    """

    closed: bool
    checks: tuple[Check, ...]
    page: Path
    comparison: Comparison | None


def run_loop(
    plan: Plan,
    out: Path,
    *,
    train: Callable[[RunSpec, Path], None],
    tell: Callable[[str], None],
    tell_moment: Callable[[Moment], None],
) -> Account:
    """Play the whole loop, and leave ``loop.json`` and ``loop.html``.

    Args:
        plan: its size and pace.
        out: folder for everything, home of its own models included; what an earlier loop left is replaced.
        train: runs a specification and leaves its results in a folder.
        tell: called with what goes on before and after the stream.
        tell_moment: called with what happens during the stream.

    Raises:
        StateError: Prometheus or Alertmanager is not installed, a service does not start, or `out` holds
            files that no loop has put there.
        InputError: the first model cannot be made.
    """
    require_programs()
    out = out.absolute()
    files, ports = Files.below(out), free_ports()
    with alone(_environment(files, ports)):
        tell(f"generating {plan.rows_a_day * plan.days:,} card transactions")
        data = prepare(plan, files.data)
        write_files(plan, files, ports, data)
        with running(services(files, ports)[:1], files.logs):
            try:
                tell("training the first model")
                spec = RunSpec.model_validate(yaml.safe_load(files.run_spec.read_text(encoding="utf-8")))
                train(spec, files.first)
                with running(services(files, ports)[1:], files.logs):
                    return _play(plan, files, ports, data, tell, tell_moment)
            finally:
                local.stop(MODEL)


def _play(
    plan: Plan,
    files: Files,
    ports: Ports,
    data: LoopData,
    tell: Callable[[str], None],
    tell_moment: Callable[[Moment], None],
) -> Account:
    version = version_of(MODEL, "champion")
    tell(
        f"Prometheus: http://127.0.0.1:{ports.prometheus}, Alertmanager: http://127.0.0.1:{ports.alertmanager}"
    )
    rows = _stream_data(plan, data)
    token = files.retune_token.read_text(encoding="utf-8").strip()
    observer = Observer(
        prometheus=Prometheus(f"http://127.0.0.1:{ports.prometheus}"),
        ledger=(f"http://127.0.0.1:{ports.trigger}", token),
        runs=files.home / "retune",
        data=data,
        version=version,
        tell=tell_moment,
    )
    tally = _streamed(plan, files, ports, rows, observer)
    tell("judging what happened")
    seconds = max((moment.seconds for moment in observer.moments.values()), default=0.0) + plan.after_seconds
    prometheus = f"http://127.0.0.1:{ports.prometheus}"
    put_text(files.dashboard, preview(prometheus, MODEL, seconds=seconds))
    with written_aside(files.answers) as aside:
        answered_rows(tally).to_parquet(aside, index=False)
    comparison = compare(tally.rows, rows, load_version(MODEL, version), version, seed=plan.seed)
    return _account(plan, files, observer, tally, comparison)


def _stream_data(plan: Plan, data: LoopData) -> Dataset:
    """The rows as the model takes them; nothing is left out as a leak, for the model was not asked."""
    section = run_spec(plan, data.stream, 0)["data"]
    return load_dataset(RunSpec.model_validate({"model": MODEL, "data": section}).data).dataset


def _streamed(plan: Plan, files: Files, ports: Ports, rows: Dataset, observer: Observer) -> Tally:
    """Stream until the model has recovered, or the stream has ended."""
    enough = threading.Event()
    known: list[Tally] = []

    def watch(tally: Tally, progress: float) -> None:
        known[:] = [tally]

    def look() -> None:
        while not enough.wait(_LOOK_SECONDS):
            if known:
                observer.look(known[0])
            if observer.is_over(plan.after_seconds):
                enough.set()

    looking = threading.Thread(target=look, name="loop-look", daemon=True)
    looking.start()
    traffic = Traffic(
        url=f"http://127.0.0.1:{ports.predictor}",
        model=MODEL,
        rows=min(len(rows), plan.longest_seconds * plan.rate),
        rate=plan.rate,
        batch=plan.batch,
        labels=LabelPlan("delayed_positive", plan.label_seconds),
        feedback=f"http://127.0.0.1:{ports.feedback}",
        token=files.feedback_token.read_text(encoding="utf-8").strip(),
        seed=plan.seed,
    )
    try:
        return stream(rows, traffic, watch=watch, enough=enough.is_set)
    finally:
        enough.set()
        looking.join()
        observer.prometheus.close()


def _account(
    plan: Plan, files: Files, observer: Observer, tally: Tally, comparison: Comparison | None
) -> Account:
    moments = sorted(observer.moments.values(), key=lambda moment: moment.seconds)
    found = checks(observer, tally, comparison)
    content: dict[str, Any] = {
        "closed": all(check.met for check in found),
        "checks": [asdict(check) for check in found],
        "moments": [asdict(moment) for moment in moments],
        "fix": None if observer.fix is None else observer.fix.account,
        "comparison": None if comparison is None else asdict(comparison),
        "measured": [asdict(figure) for figure in observer.figures],
        "rows": len(tally.rows),
        "failed": sum(tally.failed.values()),
        "rate": plan.rate,
        "plan": asdict(plan),
    }
    put_text(files.account, json.dumps(content, indent=1))
    put_text(files.page, render(content, moments, observer.figures, comparison))
    return Account(content["closed"], tuple(found), files.page, comparison)


def _environment(files: Files, ports: Ports) -> dict[str, str]:
    """The loop's own stores and addresses, for this process and all that it starts."""
    return {
        "MINORKEY_HOME": str(files.home),
        "MINORKEY_FEEDBACK_URL": f"http://127.0.0.1:{ports.feedback}",
        "MINORKEY_FEEDBACK_TOKEN_FILE": str(files.feedback_token),
        "MINORKEY_RETUNE_TOKEN_FILE": str(files.retune_token),
    }
