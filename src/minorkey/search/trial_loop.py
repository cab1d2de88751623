"""The driver's loop: propose, start, judge, record, until exactly the asked number of trials has ended."""

import errno
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minorkey.progress import emit
from minorkey.search.known import Known
from minorkey.search.outcomes import nothing_complete
from minorkey.search.proposals import Proposer
from minorkey.search.pruners import Pruner
from minorkey.search.records import Plan, Records
from minorkey.trials.dispatch import MOST_EVICTIONS
from minorkey.trials.executor import Ended, Executor, Reported, Task
from minorkey.trials.study_root import unusable
from minorkey.trials.trial import Outcome, TrialResult

__all__ = ["StudyResult", "TrialLoop"]

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


#: Trials are proposed ahead when proposing takes more than this share of a trial's time.
_AHEAD_SHARE = 0.01


@dataclass(frozen=True)
class StudyResult:
    """A finished study.

    Attributes:
        results: one for every trial, in the order of their numbers.
        seconds: wall-clock seconds of this call.
        busy: share of the workers' time in this call that went into trials.
        timed_out: whether the time-out kept further trials from starting.
    """

    results: tuple[TrialResult, ...]
    seconds: float
    busy: float = 0.0
    timed_out: bool = False


class TrialLoop:
    """Proposes, starts, judges and records the trials of one study, and takes up where it was left.

    The study root is the truth. A plan is recorded before its trial starts and a result once it has
    ended; the journal follows, and can be built again from both.

    Args:
        part: name of the part that the study is on.
        records: the study's records.
        proposer: what to try next.
        pruner: what is not worth finishing.
        executor: where trials run.
        task: the task of a plan.
        last_rung: index of the last rung of a trial.
        trials: trials to run, exactly.
        on_result: called once in each call for every finished trial, also for those that an earlier
            call has finished; so a consumer that was killed catches up.
        timeout: seconds of searching after which no further trial starts; earlier calls count by the
            seconds of the trials that they finished.
        reproducible: ask n sees exactly the results up to n - workers, whatever finished first.
    """

    def __init__(
        self,
        part: str,
        *,
        records: Records,
        proposer: Proposer,
        pruner: Pruner,
        executor: Executor,
        task: Callable[[Plan], Task],
        last_rung: int,
        trials: int,
        on_result: Callable[[TrialResult], None],
        timeout: float | None = None,
        reproducible: bool = False,
    ) -> None:
        self._part = part
        self._records = records
        self._proposer = proposer
        self._pruner = pruner
        self._executor = executor
        self._task = task
        self._last_rung = last_rung
        self._trials = trials
        self._on_result = on_result
        self._timeout = math.inf if timeout is None else timeout
        self._reproducible = reproducible
        self._known = Known(records, slots=executor.slots, reproducible=reproducible)
        self._running: dict[str, int] = {}
        self._again: list[int] = []
        self._ahead: list[Plan] = []
        self._evictions: Counter[int] = Counter()
        self._busy_seconds = 0.0
        self._proposing = 0.0
        self._spent = 0.0
        self._started = 0.0

    def run(self) -> StudyResult:
        """Run what is missing of the study.

        Raises:
            StateError: the study root is full or not writable, or is that of another study.
            SpecError: no trial was completed.
        """
        self._started = time.monotonic()
        try:
            timed_out = self._run()
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            unusable(error, self._records.root.driver_folder)
        finally:
            self._executor.cancel()
        seconds = time.monotonic() - self._started
        results = tuple(self._known.results[number] for number in sorted(self._known.results))
        if not any(result.outcome is Outcome.COMPLETE for result in results):
            raise nothing_complete(results)
        busy = self._busy_seconds / (seconds * self._executor.slots)
        return StudyResult(results=results, seconds=seconds, busy=busy, timed_out=timed_out)

    def _run(self) -> bool:
        emit("study_started", part=self._part, trials=self._trials)
        self._restore()
        closed = self._records.closed()
        if closed is not None and closed >= self._timeout and not self._again:
            return True
        while len(self._known.results) < self._trials:
            self._fill()
            if not self._running:
                break
            more = self._prepare()
            self._handle(self._executor.wait(0.0 if more else None))
        timed_out = len(self._known.results) < self._trials
        if timed_out:
            self._records.close(self._timeout)
            ended = f"{len(self._known.results)} of {self._trials} trials have ended"
            emit("warned", text=f"search.timeout, {self._timeout:g} seconds, is over: {ended}")
        for plan in self._ahead:
            self._proposer.withdraw(plan.number)
        for number in sorted(self._known.results):
            self._proposer.tell(self._known.results[number])
        return timed_out

    def _restore(self) -> None:
        self._again = self._known.restore()
        self._proposer.restore(self._known.plans, self._known.results)
        self._spent = self._known.seconds / self._executor.slots
        for result in self._known.results.values():
            self._on_result(result)
            if not self._reproducible:
                self._proposer.tell(result)

    def _fill(self) -> None:
        while len(self._running) < self._executor.slots:
            plan = self._next()
            if plan is None:
                return
            self._start(plan)

    def _next(self) -> Plan | None:
        if self._again:
            return self._known.plans[self._again.pop(0)]
        if self._ahead and self._in_time():
            return self._ahead.pop(0)
        return self._propose()

    def _propose(self) -> Plan | None:
        number = len(self._known.plans) + len(self._ahead)
        if number >= self._trials or not self._in_time() or not self._known.may_ask(number):
            return None
        began = time.monotonic()
        for seen in sorted(self._known.seen(number)):
            self._proposer.tell(self._known.results[seen])
        plan = Plan(number, self._proposer.propose(number, self._known.tried(number, self._ahead)))
        self._proposing = time.monotonic() - began
        return plan

    def _start(self, plan: Plan) -> None:
        self._known.plan(plan)
        task = self._task(plan)
        self._executor.submit(task)
        self._running[task.name] = plan.number
        configuration = plan.configuration
        emit(
            "trial_started",
            part=self._part,
            number=plan.number,
            family=configuration.family,
            resampler=configuration.resampler,
        )

    def _prepare(self) -> bool:
        """Propose one trial ahead where trials are so short that workers would wait for proposals.

        Returns:
            Whether another one is wanted: one for each worker, as they may end together.
        """
        known = self._known
        if self._reproducible or self._again or not known.results or len(self._ahead) >= self._executor.slots:
            return False
        mean = known.seconds / len(known.results)
        plan = self._propose() if self._proposing * self._executor.slots > _AHEAD_SHARE * mean else None
        if plan is None:
            return False
        self._ahead.append(plan)
        return len(self._ahead) < self._executor.slots

    def _in_time(self) -> bool:
        return not self._known.plans or self._spent + time.monotonic() - self._started < self._timeout

    def _handle(self, events: Sequence[Reported | Ended]) -> None:
        """First keep the workers busy, then keep the books."""
        ended = [(event, self._running.pop(event.name)) for event in events if isinstance(event, Ended)]
        for event in events:
            if isinstance(event, Reported):
                self._judge(self._running[event.name], event)
        while self._ahead and len(self._running) < self._executor.slots and self._in_time():
            self._start(self._ahead.pop(0))
        for event, number in ended:
            self._finish(number, event)

    def _judge(self, number: int, reported: Reported) -> None:
        history = self._known.report(number, reported)
        prunes = self._pruner.prunes(number, reported.step, self._last_rung, history)
        self._executor.answer(reported.name, not prunes)
        self._records.put_step(number, reported)

    def _finish(self, number: int, ended: Ended) -> None:
        if ended.errno in _UNWRITABLE:
            unusable(OSError(ended.errno, ended.error), self._records.root.driver_folder)
        self._busy_seconds += ended.seconds
        if ended.outcome is Outcome.EVICTED:
            self._evictions[number] += 1
            if self._evictions[number] <= MOST_EVICTIONS:
                self._again.append(number)
                return
        result = self._known.finish(number, ended)
        if not self._reproducible:
            self._proposer.tell(result)
        self._on_result(result)
        emit(
            "trial_finished",
            part=self._part,
            number=number,
            outcome=result.outcome.value,
            value=result.value,
            family=result.configuration.family,
            resampler=result.configuration.resampler,
            seconds=round(result.seconds, 3),
            best=self._known.best,
        )
