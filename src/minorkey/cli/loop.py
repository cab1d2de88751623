"""``minorkey loop``."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

from cyclopts import Parameter

__all__ = ["loop_command"]


def loop_command(
    *,
    out: Path = Path("runs/loop"),
    seed: int = 3,
    longest: Annotated[int, Parameter(negative="")] = 330,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Play the whole loop on this machine: serve, watch, see harm, mend it, serve the better model.

    Trains a model on built-in card transactions, serves it, and starts Prometheus, Alertmanager, the
    feedback service and the retune trigger on loopback, with the rules and alerts of `monitoring/` in short
    windows. Then transactions stream by with late labels, and the fraudsters change their ways. Nobody is
    told: the alert, the fix and the swap come by themselves. Ends with a timeline, as a table and as a
    page; exit code 0 only if all of it happened. Takes six to eight minutes of two cores.

    Needs Debian's `prometheus` and `prometheus-alertmanager`.

    Parameters
    ----------
    out
        Folder for everything, a registry of its own included: a new or empty one, or that of an earlier
        loop, which is replaced.
    seed
        Seed of everything random.
    longest
        Seconds after which the stream ends, recovered or not; above 40, after which the concept drifts.
    quiet
        Print nothing but errors.
    """
    from minorkey.cli.run import entry_point
    from minorkey.errors import MinorkeyError
    from minorkey.loop.page import clock
    from minorkey.loop.plan import Plan
    from minorkey.loop.running import run_loop
    from minorkey.result import write_result
    from minorkey.view import watching

    run_pipeline = entry_point("run")

    def say(text: str) -> None:
        if not quiet:
            print(text, flush=True)

    def train(spec: Any, folder: Path) -> None:
        with watching(quiet=quiet, trials=spec.search.trials) as view:
            run_pipeline(spec, folder, overwrite=True, watch=view, finish=write_result)

    plan = Plan(seed=seed, longest_seconds=longest)
    with _ending_in_order():
        account = run_loop(
            plan,
            out,
            train=train,
            tell=say,
            tell_moment=lambda moment: say(f"{clock(moment.seconds):>6}  {moment.text}"),
        )
    if account.comparison is not None:
        found = account.comparison
        say(
            f"after the swap: Matthews correlation {found.with_loop:.3f}, without the loop "
            f"{found.without_loop:.3f} (difference [{found.low:+.3f}, {found.high:+.3f}], "
            f"{found.rows:,} transactions, {found.positives:,} frauds)"
        )
    say(f"page  {account.page}")
    missed = [check.text for check in account.checks if not check.met]
    if missed:
        raise MinorkeyError(f"the loop did not close; missing: {'; '.join(missed)}\n  logs: {out / 'logs'}")
    say("the loop closed by itself")


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Within the block SIGTERM and SIGHUP unwind it, so that it ends what it started.

    A second one changes nothing. What is ignored, as SIGHUP under nohup, stays ignored.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    handled = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def end(number: int, frame: FrameType | None) -> None:
        for one in handled:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    try:
        for number in handled:
            signal.signal(number, end)
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
