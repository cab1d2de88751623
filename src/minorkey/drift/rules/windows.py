"""The lengths of time, and the limits, that tell production's rules from the loop's."""

from dataclasses import dataclass

__all__ = ["LOOP", "PRODUCTION", "Windows"]


@dataclass(frozen=True)
class Windows:
    """What a rendering fills into the templates. All times in seconds.

    Attributes:
        name: of the rendering and its files.
        scrape: between two looks of Prometheus at a service.
        record: between two evaluations of the recording rules.
        look: between two evaluations of the alerts that rest on statistics, so that looks do not multiply.
        watch: between two evaluations of the alerts that rest on facts.
        drift: window of features, scores and label-free estimates.
        outcome: window of mature outcomes, by when they matured.
        traffic: window of rates and latencies, and of records and webhooks that were lost.
        quiet: without a row for so long there is no traffic: longer than chance leaves a quiet night empty.
        labels: window in which labels have to arrive: longer than a week-end, and than chance leaves between
            two of them where there are fifty a month.
        burn: long and short window of a fast burn of the error budget, then of a slow one.
        retune: window in which a failed or postponed retune is told.
        stuck: a retune that has run for longer is stuck.
        unreachable: a retune that waits for longer for what does not answer is told.
        backlog: a feedback record that has waited for longer is a backlog.
        statistical_for: ``for`` of the alerts that rest on statistics.
        fact_for: ``for`` of the alerts that rest on facts.
        gather: Alertmanager waits so long for more alerts of a group that is new.
        group: between two messages about one group.
        tell_trigger: between two messages to the trigger about harm that goes on.
        tell_people: between two messages to people: about a page, a ticket, an information.
        positives: fewest mature positives for a measured figure.
        rows: fewest rows for a drift figure.
        runbook: address of the runbook's page.
    """

    name: str
    scrape: int
    record: int
    look: int
    watch: int
    drift: int
    outcome: int
    traffic: int
    quiet: int
    labels: int
    burn: tuple[tuple[int, int], tuple[int, int]]
    retune: int
    stuck: int
    unreachable: int
    backlog: int
    statistical_for: int
    fact_for: int
    gather: int
    group: int
    tell_trigger: int
    tell_people: tuple[int, int, int]
    positives: int = 50
    rows: int = 500
    runbook: str = "https://github.com/minorkey/minorkey/blob/main/monitoring/runbook.md"


_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

#: A day of rows, a month of outcomes, one look an hour.
PRODUCTION = Windows(
    name="production",
    scrape=15,
    record=2 * _MINUTE,
    look=_HOUR,
    watch=_MINUTE,
    drift=_DAY,
    outcome=30 * _DAY,
    traffic=15 * _MINUTE,
    quiet=2 * _HOUR,
    labels=7 * _DAY,
    burn=((_HOUR, 5 * _MINUTE), (6 * _HOUR, 30 * _MINUTE)),
    retune=_DAY,
    stuck=6 * _HOUR,
    unreachable=_HOUR,
    backlog=15 * _MINUTE,
    statistical_for=2 * _HOUR,
    fact_for=5 * _MINUTE,
    gather=30,
    group=5 * _MINUTE,
    tell_trigger=_HOUR,
    tell_people=(4 * _HOUR, _DAY, 3 * _DAY),
)
#: Everything within the minutes of `make loop`.
LOOP = Windows(
    name="loop",
    scrape=2,
    record=2,
    look=4,
    watch=4,
    drift=60,
    outcome=120,
    traffic=20,
    quiet=20,
    labels=60,
    burn=((60, 12), (120, 24)),
    retune=120,
    stuck=300,
    unreachable=60,
    backlog=60,
    statistical_for=8,
    fact_for=8,
    gather=1,
    group=2,
    tell_trigger=10,
    tell_people=(60, 120, 300),
)
