"""Row "What did the loop do?": alerts taken, retunes and how they ended, versions.

Several triggers on one ledger tell the same, so ``max`` is taken over them, never ``sum``.
"""

from minorkey.drift.dashboard.panel import MODEL, Panel, Query, above, below
from minorkey.drift.rules.windows import PRODUCTION

__all__ = ["RETUNES"]

RETUNES = (
    Panel(
        "Version that serves",
        "A new bar is a new champion. `minorkey rollback` brings the one before it back.",
        (Query(f"max by (version) (minorkey_bundle_info{{{MODEL}}})", "version {{version}}"),),
        shape="states",
        width=12,
        height=6,
        words=(("1", "serves", "green"),),
    ),
    Panel(
        "Retunes by how they ended",
        "Within the time shown. `promoted` replaced the champion, `kept` did not. Many `kept` point to a "
        "fault of data or labels; for `failed` the page `/ledger` of the trigger names the run.",
        (
            Query(
                f"max by (kind, outcome) (increase(minorkey_retune_total{{{MODEL}}}[$__range])) > 0",
                "{{outcome}} ({{kind}})",
            ),
        ),
        alerts=("MinorkeyRetuneFailed",),
        shape="bars",
        width=6,
        height=6,
    ),
    Panel(
        "Retunes left today",
        "Where none is left, find out why so many were needed before the budget is raised.",
        (Query(f"max by (model) (minorkey_retune_budget_left{{{MODEL}}})", "left"),),
        alerts=("MinorkeyRetuneBudgetExhausted",),
        shape="number",
        steps=below(1),
        width=6,
        height=6,
    ),
    Panel(
        "Retunes that have not ended",
        "What `waiting` waits for is on the page `/ledger` of the trigger.",
        (Query(f"max by (status) (minorkey_retune_open{{{MODEL}}})", "{{status}}"),),
    ),
    Panel(
        "Retune under way for",
        "Where it does not end: are its trials waiting for room? Give it room, or end the run; its lease "
        "ends with it.",
        (
            Query(
                f"time() - max by (model) (minorkey_retune_started_timestamp_seconds{{{MODEL}}} > 0)",
                "under way",
            ),
            Query(
                f"max by (model, reason) (minorkey_retune_waiting_seconds{{{MODEL}}}) > 0",
                "oldest that waits",
            ),
        ),
        unit="s",
        alerts=("MinorkeyRetuneStuck", "MinorkeyRetuneUnreachable"),
        steps=above(PRODUCTION.stuck),
    ),
    Panel(
        "Retunes put off",
        "By what for. `labels`: have labels made. `unreachable`: the registry or the leases do not answer. "
        "`cool_down` and `lease` pass by themselves.",
        (
            Query(
                f"max by (reason) (increase(minorkey_retune_postponed_total{{{MODEL}}}[$__rate_interval]))",
                "{{reason}}",
            ),
        ),
        alerts=("MinorkeyRetuneBudgetExhausted",),
    ),
    Panel(
        "Alerts taken by the trigger",
        "`opened` and `joined` lead to a retune, `informed` does not, `duplicate` is the same alert told "
        "again. `unknown_model`: name the model in the trigger's specification.",
        (
            Query(
                f"max by (disposition) (increase(minorkey_retune_alert_total{{{MODEL}}}[$__rate_interval]))",
                "{{disposition}}",
            ),
        ),
    ),
    Panel(
        "Webhooks by answer",
        "Of all models. 401: trigger and Alertmanager hold different tokens. 503: the ledger does not "
        "answer, or there are too many at a time; Alertmanager sends again.",
        (Query("sum by (code) (rate(minorkey_retune_webhook_total[$__rate_interval]))", "{{code}}"),),
        unit="reqps",
    ),
    Panel(
        "Webhooks that failed",
        "As Alertmanager counts them. Mend the address or the token.",
        (
            Query(
                "sum by (integration) (increase(alertmanager_notifications_failed_total"
                '{integration="webhook"}[$__rate_interval]))',
                "{{integration}}",
            ),
        ),
        alerts=("MinorkeyWebhookDeliveryFailing",),
    ),
)
