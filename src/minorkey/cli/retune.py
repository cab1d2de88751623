"""``minorkey retune``."""

from pathlib import Path
from typing import Literal

import cyclopts

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
