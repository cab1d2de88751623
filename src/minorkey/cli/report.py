"""``minorkey report``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from minorkey.errors import StateError

__all__ = ["report_command"]


def report_command(
    run: Path = Path("runs/minorkey"), /, *, open: Annotated[bool, Parameter(negative="")] = False
) -> None:
    """Say how a run went and where its report is.

    Example: `minorkey report runs/fraud --open`

    Parameters
    ----------
    run
        The run's folder.
    open
        Open the report in the browser.
    """
    from minorkey.result import print_summary

    page = run / "report.html"
    if not (run / "result.json").exists() or not page.exists():
        raise StateError(
            "there is no finished run here",
            key=str(run),
            allowed="a folder that minorkey run has finished",
            remedy="run `minorkey run`, or name another folder",
        )
    print_summary(run, predict=False)
    if open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
