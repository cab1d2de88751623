"""The configurations that bring figures into Prometheus and alerts out of Alertmanager."""

from dataclasses import dataclass

from minorkey.drift.rules.rendering import fill
from minorkey.drift.rules.windows import Windows

__all__ = ["TOKEN_FILE", "TO_TRIGGER", "TRIGGER_URL", "Addresses", "render_alertmanager", "render_prometheus"]

#: Kinds of alerts that the trigger gets: the harm that it acts on by default, by a run or by taking a new
#: champion back, and what it writes down beside it, so that the ledger shows what was known.
TO_TRIGGER = (
    "performance_down",
    "calibration_off",
    "prior_shift",
    "data_drift",
    "score_drift",
    "estimated_performance_down",
    "error_budget_burn",
    "worse_than_before",
)
#: Where `minorkey retune serve` listens.
TRIGGER_URL = "http://127.0.0.1:9095/webhook"
#: Readable by the user that Debian's Alertmanager runs as.
TOKEN_FILE = "/etc/prometheus/minorkey-token"  # noqa: S105 - a path


@dataclass(frozen=True)
class Addresses:
    """Where Prometheus finds what it scrapes, each as ``HOST:PORT``; the defaults are those of the commands.

    Attributes:
        predictors: every replica.
        feedback: of one service, or of several on different databases: those of one database tell the same.
        triggers: likewise, by ledger.
        alertmanagers: alerts go to all of them.
        prometheus: itself.
    """

    predictors: tuple[str, ...] = ("127.0.0.1:8080",)
    feedback: tuple[str, ...] = ("127.0.0.1:9096",)
    triggers: tuple[str, ...] = ("127.0.0.1:9095",)
    alertmanagers: tuple[str, ...] = ("127.0.0.1:9093",)
    prometheus: tuple[str, ...] = ("127.0.0.1:9090",)


def render_alertmanager(
    windows: Windows, *, trigger_url: str = TRIGGER_URL, token_file: str = TOKEN_FILE
) -> str:
    """The text of Alertmanager's configuration.

    Args:
        windows: `PRODUCTION`, whose people get e-mail once an address is filled in, or `LOOP`, where alerts
            for people are only shown.
        trigger_url: the webhook of `minorkey retune serve`.
        token_file: holds the trigger's token; relative to the configuration. Alertmanager reads it for
            every message, so that a changed one counts at once.
    """
    return fill(
        "alertmanager", w=windows, trigger_url=trigger_url, token_file=token_file, to_trigger=TO_TRIGGER
    )


def render_prometheus(windows: Windows, addresses: Addresses | None = None, *, monitoring: str = "..") -> str:
    """The text of Prometheus' configuration.

    Args:
        windows: whose rules and alerts it reads.
        addresses: of the services; None: where the commands listen by default.
        monitoring: the folder that holds ``rules/`` and ``alerts/``; relative to the configuration.
    """
    return fill("prometheus", w=windows, addresses=addresses or Addresses(), monitoring=monitoring)
