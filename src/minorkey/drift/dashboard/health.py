"""Row "Is it healthy?": services, traffic, errors, labels."""

from minorkey.drift.dashboard.panel import MODEL, VERSION, Panel, Query, above, below
from minorkey.drift.rules.windows import PRODUCTION

__all__ = ["HEALTH"]

_FAST, _SLOW = 14.4 * 0.001, 6 * 0.001

HEALTH = (
    Panel(
        "Alerts that fire",
        "Every alert of this model and of the services. Its chapter of the runbook says what to look at and "
        "what to do; start with the topmost bar.",
        (
            Query(
                'max by (alertname) (ALERTS{alertname=~"Minorkey.+", alertstate="firing", model=~"$model|"})',
                "{{alertname}}",
            ),
        ),
        shape="states",
        width=12,
        words=(("1", "fires", "red"),),
    ),
    Panel(
        "Services",
        "Whether Prometheus reaches every target. Start again what is down: predictor, feedback service and "
        "trigger lose nothing that they have accepted.",
        (
            Query(
                'min by (job) (up{job=~"minorkey-(predictor|feedback|trigger)|alertmanager"})',
                "{{job}}",
            ),
        ),
        alerts=("MinorkeyPredictorDown", "MinorkeyFeedbackDown", "MinorkeyTriggerDown"),
        steps=below(1),
        shape="number",
        width=6,
        words=(("0", "down", "red"), ("1", "up", "green")),
    ),
    Panel(
        "Versions that serve",
        "How many replicas serve each version. More than one version for longer than a swap takes means that "
        "a replica does not follow the alias: look at its log.",
        (Query(f"count by (version) (minorkey_bundle_info{{{MODEL}}} == 1)", "version {{version}}"),),
        shape="number",
        width=6,
    ),
    Panel(
        "Rows scored",
        "Where it falls to nothing, look at the requests beside it, then at the callers.",
        (Query(f"model:minorkey_rows:rate{{{VERSION}}}", "version {{version}}"),),
        unit="rowsps",
        alerts=("MinorkeyNoTraffic",),
    ),
    Panel(
        "Requests by status",
        "400 and 422 are faults of callers; 503 means too many connections at once: add replicas.",
        (
            Query(
                f"sum by (code) (rate(minorkey_request_total{{{VERSION}}}[$__rate_interval]))",
                "{{code}}",
            ),
        ),
        unit="reqps",
    ),
    Panel(
        "Share of requests that fail",
        "Over a long and a short window, both fast and slow. If it began with a new version, "
        "`minorkey rollback`.",
        (
            Query(
                f"model:minorkey_request_errors:ratio_fast_long{{{VERSION}}}",
                "version {{version}} fast, long",
            ),
            Query(
                f"model:minorkey_request_errors:ratio_fast_short{{{VERSION}}}",
                "version {{version}} fast, short",
            ),
            Query(
                f"model:minorkey_request_errors:ratio_slow_long{{{VERSION}}}",
                "version {{version}} slow, long",
            ),
            Query(
                f"model:minorkey_request_errors:ratio_slow_short{{{VERSION}}}",
                "version {{version}} slow, short",
            ),
        ),
        unit="percentunit",
        alerts=("MinorkeyErrorBudgetBurnFast", "MinorkeyErrorBudgetBurnSlow"),
        steps=above(_FAST, fair=_SLOW),
    ),
    Panel(
        "Slowest requests (99th percentile)",
        "From a request's start to its answer. Where it grows with the load, add replicas.",
        (Query(f"model:minorkey_request_seconds:p99{{{VERSION}}}", "version {{version}}"),),
        unit="s",
    ),
    Panel(
        "Labels by what became of them",
        "Nothing at all: nobody sends labels. Many `unknown`: request ids do not match. Mend the source; "
        "labels are joined however late they come.",
        (
            Query(
                f"sum by (result) (rate(minorkey_label_received_total{{{MODEL}}}[$__rate_interval]))",
                "{{result}}",
            ),
        ),
        unit="cps",
        alerts=("MinorkeyNoLabels",),
    ),
    Panel(
        "Feedback: oldest row that waits",
        "Mature rows wait to be counted. Give the feedback service's database room or a faster disk.",
        (Query(f"max by (model) (minorkey_feedback_backlog_seconds{{{MODEL}}})", "oldest row"),),
        unit="s",
        alerts=("MinorkeyFeedbackBacklog",),
        steps=above(PRODUCTION.backlog),
        width=4,
    ),
    Panel(
        "Prediction records lost",
        "Rows whose record the feedback service did not get: they were answered, and will not be measured.",
        (
            Query(
                f"sum by (version) (increase(minorkey_record_dropped_total{{{VERSION}}}[$__rate_interval]))",
                "version {{version}}",
            ),
        ),
        alerts=("MinorkeyFeedbackBacklog",),
        width=4,
    ),
)
