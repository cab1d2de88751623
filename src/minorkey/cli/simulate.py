"""``minorkey simulate``."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from minorkey.cli.output import require_place, require_table_format, write_table
from minorkey.secret_file import read_secret

__all__ = ["simulate_command"]


def simulate_command(
    *,
    url: str,
    model: str,
    data: str,
    target: str | None = None,
    positive: str | None = None,
    rows: int = 10_000,
    rate: float = 100.0,
    batch: int = 1,
    drift: str = "none",
    by: str = "",
    strength: float = 1.0,
    shape: str = "abrupt",
    start: float = 0.5,
    end: float = 0.75,
    missing: float = 0.0,
    malformed: float = 0.0,
    labels: str = "full",
    label_delay: float = 0.0,
    audit: float = 0.1,
    feedback: str = "",
    feedback_token_file: Path | None = None,
    threshold: float = 0.5,
    seed: int = 0,
    out: Path | None = None,
    keep_column: Annotated[list[str] | None, Parameter(negative="")] = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Stream a data set to a predictor, with drift, late labels and bad requests if asked.

    Works with any server of the Open Inference Protocol: scores are its output `score`, else the first one
    of floating-point numbers. Rows go out in the order of the data, at a steady rate; labels go to
    `minorkey feedback serve` when they are due, and again for half a minute where it is away.

    Example: `minorkey simulate --url http://127.0.0.1:8080 --model m --data builtin:cards --drift prior`

    Parameters
    ----------
    url
        Address of the predictor.
    model
        Name that it serves.
    data
        The rows, as for `minorkey run`.
    target
        Their target. Needed for data of your own.
    positive
        The target's value that is the rare event. Default: the rarer of the two.
    rows
        How many rows go out; the data begin anew when they end.
    rate
        Rows a second.
    batch
        Rows a request.
    drift
        none, covariate (rows high in a feature come more often), prior (positives come more often) or
        concept (positives change places with negatives high in a feature).
    by
        Numeric feature that covariate and concept drift go by. Default: the first.
    strength
        How far it goes at full intensity, 0 to 20: factor exp(strength) of the odds, or for concept the
        share of positives that change places.
    shape
        abrupt, gradual or recurring.
    start
        Share of the stream at which the drift begins.
    end
        Share at which a gradual drift is complete, or a recurring one pauses.
    missing
        Share of the cells that are emptied.
    malformed
        Share of the requests that are sent once more with a mistake.
    labels
        full, delayed_positive (negatives show by silence) or selective (rows called positive are stopped,
        but for an audit slice).
    label_delay
        Seconds until every label that comes has come.
    audit
        Probability with which a stopped row is let through under selective.
    feedback
        Address of the feedback service. Default: labels go nowhere.
    feedback_token_file
        File with its token.
    threshold
        Scores from here on are called positive, where the predictor tells no threshold of its own.
    seed
        Seed of everything random.
    out
        File (.csv or .parquet) for the answered rows: id, time, label, score, predicted, version, intensity.
    keep_column
        A column that is used even if it looks like an identifier or gives the answer away. Repeatable.
    quiet
        Print nothing but errors.
    """
    from dataclasses import replace

    from minorkey.cli.run import resolve_spec
    from minorkey.data.loading import load_dataset
    from minorkey.scalars import scalar
    from minorkey.simulation.account import answered_rows, summary
    from minorkey.simulation.course import Course
    from minorkey.simulation.drifts import feature_to_move_by
    from minorkey.simulation.labels import LabelPlan
    from minorkey.simulation.stream import Tally, Traffic, stream

    course: Any = Course(shape, start, end)  # type: ignore[arg-type]
    plan = LabelPlan(labels, label_delay, audit)  # type: ignore[arg-type]
    traffic = Traffic(
        url=url,
        model=model,
        rows=rows,
        rate=rate,
        batch=batch,
        drift=drift,
        strength=strength,
        course=course,
        missing=missing,
        malformed=malformed,
        labels=plan,
        feedback=feedback,
        seed=seed,
        threshold=threshold,
    )
    if out is not None:
        require_table_format(out)
        require_place(out, "output")
    flags = {"data.source": data, "data.target": target, "data.positive": positive and scalar(positive)}
    spec, _ = resolve_spec(None, flags=flags, settings=[], keep=keep_column or [])
    token = ""
    if feedback_token_file is not None:
        token = read_secret(feedback_token_file, "the feedback service's token", key="--feedback-token-file")
    dataset = load_dataset(spec.data).dataset
    traffic = replace(traffic, feature=feature_to_move_by(dataset, drift, by), token=token)

    def watch(tally: Tally, progress: float) -> None:
        if not quiet:
            print(f"\r{progress:4.0%}  {len(tally.rows):,} rows answered", end="", flush=True)

    tally = stream(dataset, traffic, watch=watch)
    if out is not None:
        write_table(answered_rows(tally), out)
    if not quiet:
        print("\r" + "\n".join(summary(tally)))
