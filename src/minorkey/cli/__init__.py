"""The command line: one file a command, which imports what is heavy only when it is called."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import cyclopts

from minorkey.cli.adjust import adjust_command
from minorkey.cli.compile import compile_command
from minorkey.cli.confirm import confirm_command
from minorkey.cli.doctor import doctor_command
from minorkey.cli.drift import drift_command
from minorkey.cli.feedback import feedback_app
from minorkey.cli.init import init_command
from minorkey.cli.loop import loop_command
from minorkey.cli.predict import predict_command
from minorkey.cli.profile import profile_command
from minorkey.cli.promote import promote_command
from minorkey.cli.report import report_command
from minorkey.cli.retune import retune_app
from minorkey.cli.rollback import rollback_command
from minorkey.cli.run import run_command
from minorkey.cli.runs import runs_command
from minorkey.cli.schedule import schedule_command
from minorkey.cli.schema import schema_command
from minorkey.cli.serve import serve_command
from minorkey.cli.shadow import shadow_app
from minorkey.cli.simulate import simulate_command
from minorkey.cli.submit import submit_command
from minorkey.cli.sweep import sweep_command
from minorkey.errors import MinorkeyError

__all__ = ["app", "main"]

app = cyclopts.App(
    name="minorkey",
    help="""Keep a rare-event classifier in tune: tune it, prove it, ship it.

Start with `minorkey run`, which needs nothing else and uses built-in card transactions. With data
of your own: `minorkey run --data mine.csv --target y`. It says aloud what it assumed and how to
change it; `minorkey init mine.csv --target y` writes those assumptions down as a specification.
""",
    help_format="markdown",
    suppress_keyboard_interrupt=False,
    version=lambda: version("minorkey"),
)

_COMMANDS: dict[str, Callable[..., None]] = {
    "run": run_command,
    "init": init_command,
    "profile": profile_command,
    "report": report_command,
    "predict": predict_command,
    "drift": drift_command,
    "serve": serve_command,
    "adjust": adjust_command,
    "promote": promote_command,
    "rollback": rollback_command,
    "confirm": confirm_command,
    "simulate": simulate_command,
    "loop": loop_command,
    "schema": schema_command,
    "compile": compile_command,
    "submit": submit_command,
    "runs": runs_command,
    "schedule": schedule_command,
    "doctor": doctor_command,
    "sweep": sweep_command,
}
for _name, _command in _COMMANDS.items():
    app.command(_command, name=_name)
app.command(retune_app)
app.command(feedback_app)
app.command(shadow_app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 the input is at fault, 1 anything else."""
    if os.getpid() == 1:  # the first process of a container ignores what it does not handle
        signal.signal(signal.SIGTERM, _end)
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        print(f"error: {error}\n  remedy:  see --help", file=sys.stderr)
        raise SystemExit(2) from None
    except MinorkeyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where this one stopped", file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        print(f"error: {type(error).__name__}: {error}\n  log: {_logged()}", file=sys.stderr)
        raise SystemExit(1) from None


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _logged() -> Path:
    """Where the traceback of the exception at hand has been written."""
    with tempfile.NamedTemporaryFile("w", prefix="minorkey-", suffix=".log", delete=False) as stream:
        traceback.print_exc(file=stream)
    return Path(stream.name)
