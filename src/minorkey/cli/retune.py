"""``minorkey retune``."""

import getpass
import socket
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

__all__ = ["retune_app"]

retune_app = cyclopts.App(name="retune", help="Retune a model when an alert says so, or now.")


@retune_app.command(name="serve")
def serve_command(
    spec: Path,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 9095,
    token_file: Path | None = None,
    dry_run: bool | None = None,
) -> None:
    """Receive Alertmanager's webhooks at `/webhook` and start runs, until interrupted.

    `/ledger` shows every alert and every action, in a browser as a page. Counters are at `/metrics`.

    Example: `minorkey retune serve retune.yaml --token-file token`

    Parameters
    ----------
    spec
        What the trigger does, in YAML: models, kinds of alerts, cool-down, budget.
    host
        Address to bind. The default is reachable from this machine only.
    port
        Port to bind; 0 takes any free one.
    token_file
        File with the token that Alertmanager brings (`http_config.authorization.credentials_file`).
    dry_run
        Decide and record, start nothing. Default: as in the specification.
    """
    from minorkey.retune.service import serve_trigger
    from minorkey.retune.spec import load_retune_spec

    wanted = load_retune_spec(spec)
    if dry_run is not None:
        wanted = wanted.model_copy(update={"dry_run": dry_run})
    serve_trigger(wanted, host=host, port=port, token_file=token_file)


@retune_app.command(name="run")
def run_command(
    spec: Path,
    /,
    *,
    model: str | None = None,
    feedback_spec: Path | None = None,
    base_version: str | None = None,
    reason: str = "by hand",
    kind: str = "manual",
    set: Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)] = None,
    out: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Retune a model here and now, with the cheapest fix that works: this is what the trigger starts.

    Takes the labelled rows of production from the feedback database. Probabilities and threshold are mended
    if that is all that is wrong; if the ranking fell, the serving configuration is fitted anew; only if
    that does not help, a search begins with it. Each fix is proven on rows that it has not seen. An
    interrupted retune goes on where it stopped: give the same command again.

    Example: `minorkey retune run fraud.yaml --feedback-spec feedback.yaml --reason "new terminals"`

    Parameters
    ----------
    spec
        Run specification, as for `minorkey run`.
    model
        Name of the model. Default: the specification's.
    feedback_spec
        What labels mean, as for `minorkey feedback serve`. Without it nothing but a search is possible.
    base_version
        The version that serves. Default: the champion.
    reason
        Why; it stays with the runs.
    kind
        Of the alert that led to it.
    set
        Any key of the run specification, e.g. `--set search.trials=20`. Repeatable.
    out
        Folder for the runs and their account. Default: `runs/MODEL-retune`.
    overwrite
        Replace a finished retune in that folder. An interrupted one still goes on.
    quiet
        Print nothing but errors.
    """
    from minorkey.cli.run import entry_point, resolve_spec
    from minorkey.result import write_result
    from minorkey.retune.chain import Wanted, retune
    from minorkey.tracking import version_of
    from minorkey.view import watching

    flags = {"model": model}
    run_spec, _ = resolve_spec(spec, flags=flags, settings=set or [], keep=[])
    base = version_of(run_spec.model, "champion") if base_version is None else base_version
    run_pipeline = entry_point("run")

    def run(wanted: Any, folder: Path, *, pipeline: str, parameters: dict[str, str]) -> None:
        trials = 0 if pipeline == "adjust" or wanted.search.refit else wanted.search.trials
        with watching(quiet=quiet, trials=trials) as view:
            run_pipeline(
                wanted, folder, pipeline=pipeline, parameters=parameters, watch=view, finish=write_result
            )

    account = retune(
        Wanted(run_spec, feedback_spec, base, reason, kind),
        out or Path("runs") / f"{run_spec.model}-retune",
        run=run,
        champion=lambda name: version_of(name, "champion"),
        overwrite=overwrite,
    )
    if not quiet:
        for stage in account.stages:
            print(f"{stage.name:<8}{stage.decision:<9}{stage.reason}")
        print(f"{account.outcome}: version {account.version or 'none'} of {account.model} serves")


@retune_app.command(name="now")
def now_command(
    spec: Path, model: str, /, *, reason: str, kind: Literal["manual", "schedule"] = "manual"
) -> None:
    """Wish for a retune by hand or from a schedule: budget, lease and ledger are those of the alerts.

    Example: `minorkey retune now retune.yaml fraud --reason "new terminals in the north"`

    Parameters
    ----------
    spec
        What the trigger does, in YAML.
    model
        Name of the model.
    reason
        Why; it stays with the action.
    kind
        `schedule` for what a timer starts: each kind has a cool-down of its own.
    """
    from minorkey.retune.service import retune_now
    from minorkey.retune.spec import load_retune_spec

    action = retune_now(load_retune_spec(spec), model, reason=reason, kind=kind)
    why = f": {action.detail}" if action.detail else ""
    print(f"action {action.id}: {action.status}{why}")
    if action.run_id:
        print(f"  run {action.run_id}")
    if action.ended is None and action.status != "running":
        print("  it is in the ledger; `minorkey retune serve` goes on with it")


@retune_app.command(name="status")
def status_command(
    spec: Path,
    /,
    *,
    model: str | None = None,
    limit: int = 10,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show what waits, what runs and how the newest retunes ended, by the ledger and by whoever runs them.

    Example: `minorkey retune status retune.yaml --model fraud`

    Parameters
    ----------
    spec
        What the trigger does, in YAML.
    model
        Only this model. Default: all.
    limit
        Actions to show, the newest first.
    json
        Print JSON.
    """
    from minorkey.retune.spec import load_retune_spec
    from minorkey.retune.status import retune_status

    found = retune_status(load_retune_spec(spec), model=model or "", limit=limit)
    print(found.dumps() if json else found.text())


@retune_app.command(name="cancel")
def cancel_command(
    spec: Path, action: int, /, *, reason: str, by: str | None = None, patience: float = 60.0
) -> None:
    """Call a retune off, and end its run if it has begun: on this machine, or on Kubeflow Pipelines.

    The ledger says by whom and why. The alerts that led to it lead to no other one; alerts that begin to fire
    later do.

    Example: `minorkey retune cancel retune.yaml 7 --reason "the labels of May are wrong"`

    Parameters
    ----------
    spec
        What the trigger does, in YAML.
    action
        Number of the action, as `minorkey retune status` tells it.
    reason
        Why, for the record.
    by
        Who, for the record. Default: the user and the machine.
    patience
        Seconds to wait until the run has ended.
    """
    from minorkey.retune.service import cancel_retune
    from minorkey.retune.spec import load_retune_spec

    done = cancel_retune(
        load_retune_spec(spec),
        action,
        by=by or f"{getpass.getuser()}@{socket.gethostname()}",
        reason=reason,
        patience=patience,
    )
    print(f"action {done.id}: {done.status}{f': {done.detail}' if done.detail else ''}")
    if done.ended is None:
        print("  its run has been told to end; `minorkey retune serve` goes on with it")
