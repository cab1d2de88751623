"""Run a list of independent tasks to their ends."""

from collections import Counter
from collections.abc import Iterator, Sequence

from minorkey.trials.executor import Ended, Executor, Task
from minorkey.trials.trial import Outcome

__all__ = ["MOST_EVICTIONS", "run_all"]

#: Evictions of one task after which it is given up.
MOST_EVICTIONS = 20


def run_all(executor: Executor, tasks: Sequence[Task]) -> Iterator[Ended]:
    """Run every task, as many at a time as there are slots; an evicted one is run again.

    Yields:
        The end of each task, in the order in which they end.
    """
    waiting = list(reversed(tasks))
    under_way: dict[str, Task] = {}
    evictions: Counter[str] = Counter()
    try:
        while waiting or under_way:
            while waiting and len(under_way) < executor.slots:
                task = waiting.pop()
                executor.submit(task)
                under_way[task.name] = task
            for event in executor.wait():
                if not isinstance(event, Ended):
                    executor.answer(event.name, True)
                    continue
                task = under_way.pop(event.name)
                evictions[task.name] += event.outcome is Outcome.EVICTED
                if event.outcome is Outcome.EVICTED and evictions[task.name] <= MOST_EVICTIONS:
                    waiting.append(task)
                else:
                    yield event
    finally:
        executor.cancel()
