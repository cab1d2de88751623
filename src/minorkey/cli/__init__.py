"""The command line: one file a command, each imported only when it is called."""

import sys
from importlib.metadata import version

import cyclopts

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
    version=lambda: version("minorkey"),
)

for _name in ("run", "init", "profile", "report", "predict", "serve", "schema", "compile"):
    app.command(f"minorkey.cli.{_name}:{_name}_command", name=_name)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 the input is at fault, 1 anything else."""
    try:
        app(arguments)
    except MinorkeyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where this one stopped", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
