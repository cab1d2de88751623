"""What the driver's loop knows of its study: plans, results, and which of them a proposal may see."""

from collections.abc import Iterable
from dataclasses import replace

from minorkey.search.allocation import Tried
from minorkey.search.outcomes import best_number, history_of
from minorkey.search.pruners import History
from minorkey.search.records import Plan, Records
from minorkey.trials.executor import Ended, Reported
from minorkey.trials.trial import Outcome, TrialResult

__all__ = ["Known"]


class Known:
    """Plans and results of one study, each recorded before it counts.

    Args:
        records: the study's records.
        slots: trials that run at a time.
        reproducible: ask n sees exactly the results up to n - slots, whatever finished first.
    """

    def __init__(self, records: Records, *, slots: int, reproducible: bool) -> None:
        self._records = records
        self._slots = slots
        self._reproducible = reproducible
        self._history = History()
        self.plans: dict[int, Plan] = {}
        self.results: dict[int, TrialResult] = {}

    def restore(self) -> list[int]:
        """Read what earlier calls have recorded.

        Returns:
            Numbers of the trials that were planned and have no result.
        """
        self.plans, self.results = self._records.plans(), self._records.results()
        for result in self.results.values():
            self._remember(result)
        return [number for number in self.plans if number not in self.results]

    def plan(self, plan: Plan) -> None:
        """Record that a trial is to be run."""
        self._records.put_plan(plan)
        self.plans[plan.number] = plan

    def finish(self, number: int, ended: Ended) -> TrialResult:
        """Record how a trial ended."""
        result = self._result(number, ended)
        self._records.put_result(result)
        self.results[number] = result
        self._remember(result)
        return result

    def report(self, number: int, reported: Reported) -> History:
        """Take a reported value; what the pruner may see of the study, this value included."""
        history = self._history
        if self._reproducible:
            history = history_of(self.results[seen] for seen in sorted(self.seen(number)))
        history.record(number, reported.step, reported.value, reported.folds)
        return history

    @property
    def best(self) -> float | None:
        """Value of the best complete trial."""
        return None if self._history.best is None else self.results[self._history.best].value

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of all finished trials together, however they ended."""
        return sum(result.seconds for result in self.results.values())

    def may_ask(self, number: int) -> bool:
        """Whether every result that a proposal has to see is there."""
        return not self._reproducible or all(seen in self.results for seen in self._in_order(number))

    def seen(self, number: int) -> set[int]:
        """Numbers of the results that ask and pruning of a trial may see."""
        if not self._reproducible:
            return set(self.results)
        return set(self._in_order(number)) & self.results.keys()

    def tried(self, number: int, ahead: Iterable[Plan]) -> list[Tried]:
        """What a proposal may know of each trial, those that are proposed ahead last."""
        seen = self.seen(number)
        return [
            Tried(
                plan.configuration.family,
                plan.configuration.resampler,
                self.results[plan.number].value if plan.number in seen else None,
                plan.configuration.interactions,
            )
            for plan in [*(self.plans[one] for one in sorted(self.plans)), *ahead]
        ]

    def _in_order(self, number: int) -> range:
        return range(number - self._slots + 1)

    def _result(self, number: int, ended: Ended) -> TrialResult:
        if ended.outcome is Outcome.COMPLETE:
            found = TrialResult.from_json(ended.content)
            return replace(found, number=number, seconds=ended.seconds, cpu_seconds=ended.cpu_seconds)
        return TrialResult(
            number=number,
            configuration=self.plans[number].configuration,
            outcome=ended.outcome,
            value=None,
            seconds=ended.seconds,
            cpu_seconds=ended.cpu_seconds,
            error=ended.error,
        )

    def _remember(self, result: TrialResult) -> None:
        for step, value in result.reported:
            self._history.record(result.number, step, value, result.fold_scores)
        self._history.best = best_number(self.results.values())
