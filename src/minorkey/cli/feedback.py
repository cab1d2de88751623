"""``minorkey feedback``."""

from pathlib import Path

import cyclopts

__all__ = ["feedback_app"]

#: Reasons for a refusal that are printed.
_REASONS = 10

feedback_app = cyclopts.App(name="feedback", help="Join late labels to predictions, count and export them.")


@feedback_app.command(name="serve")
def serve_command(
    spec: Path, /, *, host: str = "127.0.0.1", port: int = 9096, token_file: Path | None = None
) -> None:
    """Receive predictions and labels, until interrupted. Counters are at `/metrics`.

    Example: `minorkey feedback serve feedback.yaml --token-file token`

    Parameters
    ----------
    spec
        What labels mean, in YAML: by model the target, label horizon and policy.
    host
        Address to bind. The default is reachable from this machine only.
    port
        Port to bind; 0 takes any free one.
    token_file
        File with the token that predictors and label sources bring.
    """
    from minorkey.feedback.service import serve_feedback
    from minorkey.feedback.spec import load_feedback_spec

    serve_feedback(load_feedback_spec(spec), host=host, port=port, token_file=token_file)


@feedback_app.command(name="import")
def import_command(spec: Path, model: str, labels: Path, /) -> None:
    """Join the labels of a file to their predictions. Exit code 2 if not one of them fits.

    Example: `minorkey feedback import feedback.yaml fraud labels.csv`

    Parameters
    ----------
    spec
        What labels mean, in YAML.
    model
        Name of the model.
    labels
        CSV, Parquet or JSON lines with `id` and `label`; also `time`, `intervened`, `propensity`.
    """
    from minorkey.errors import DataError
    from minorkey.feedback.export import import_labels
    from minorkey.feedback.service import open_intake
    from minorkey.feedback.spec import load_feedback_spec

    found = import_labels(open_intake(load_feedback_spec(spec)), model, labels)
    for result, number in sorted(found.results.items()):
        print(f"{result}: {number:,}")
    for reason, row in list(found.reasons.items())[:_REASONS]:
        print(f"  row {row:,}: {reason}")
    if len(found.reasons) > _REASONS:
        print(f"  and {len(found.reasons) - _REASONS:,} more reasons")
    if set(found.results) == {"refused"}:
        raise DataError(
            "every label was refused",
            key=str(labels),
            value=f"{found.results['refused']:,} rows",
            allowed="the columns id, label, time, intervened and propensity",
            remedy="mend what the reasons name, and import the file again",
        )


@feedback_app.command(name="export")
def export_command(
    spec: Path, model: str, out: Path, /, *, since: str | None = None, until: str | None = None
) -> None:
    """Write mature labelled rows as Parquet, for a retune.

    Example: `minorkey feedback export feedback.yaml fraud fresh.parquet --since 2026-03-01`

    Parameters
    ----------
    spec
        What labels mean, in YAML.
    model
        Name of the model.
    out
        File to write.
    since
        Predictions from then on (ISO 8601).
    until
        Predictions before then.
    """
    from minorkey.data.durations import parse_instant
    from minorkey.feedback.export import export_rows
    from minorkey.feedback.service import open_intake
    from minorkey.feedback.spec import load_feedback_spec

    number = export_rows(
        open_intake(load_feedback_spec(spec)),
        model,
        out,
        since=None if since is None else parse_instant(since, key="--since"),
        until=None if until is None else parse_instant(until, key="--until"),
    )
    print(f"{number:,} rows: {out}")


@feedback_app.command(name="delete")
def delete_command(spec: Path, model: str, identity: str, /) -> None:
    """Delete the row of a request id, and whatever label waits for it.

    Parameters
    ----------
    spec
        What labels mean, in YAML.
    model
        Name of the model.
    identity
        The request id.
    """
    from minorkey.errors import SpecError
    from minorkey.feedback.service import open_intake
    from minorkey.feedback.spec import load_feedback_spec
    from minorkey.serving.refusal import Refusal

    known = load_feedback_spec(spec)
    try:
        gone = open_intake(known).delete(model, identity)
    except Refusal as refusal:
        raise SpecError(
            refusal.reason,
            key="MODEL",
            value=model,
            allowed=", ".join(sorted(known.models)),
            remedy="name one of these, or add the model to the specification",
        ) from None
    print("deleted" if gone else "there is no such row")
