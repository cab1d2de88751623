"""Where the retunes stand: by the ledger, by whoever runs them, and by the clock."""

import json
import time
from dataclasses import asdict, dataclass

from minorkey.errors import MinorkeyError
from minorkey.retune.action import Action
from minorkey.retune.page import ago, lasted, moment
from minorkey.retune.schedules import next_tick
from minorkey.retune.service import build_trigger
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.views import Figures, Page, figures, page

__all__ = ["Status", "retune_status"]

#: Rows of the ledger among which those of a model are sought.
_MOST = 1_000


@dataclass(frozen=True)
class Status:
    """What there is to say.

    Attributes:
        models: those that are asked for.
        page: the ledger's newest actions, of these models alone.
        figures: the ledger in numbers.
        seen: how each run under way was found just now, by action.
        ticks: by model, the next tick of its schedules, seconds since 1970.
        budget: most starts of a model within a day.
    """

    models: tuple[str, ...]
    page: Page
    figures: Figures
    seen: dict[int, str]
    ticks: dict[str, float]
    budget: int

    def dumps(self) -> str:
        """As JSON."""
        actions = [asdict(action) | {"seen": self.seen.get(action.id, "")} for action in self.page.actions]
        models = {
            model: {
                "budget_left": max(0, self.budget - self.figures.starts.get(model, 0)),
                "next_tick": self.ticks.get(model),
            }
            for model in self.models
        }
        return json.dumps({"now": self.page.now, "models": models, "actions": actions}, indent=1)

    def text(self) -> str:
        """As lines to read."""
        lines = []
        for model in self.models:
            left = max(0, self.budget - self.figures.starts.get(model, 0))
            tick = self.ticks.get(model)
            clock = "" if tick is None else f", next by the clock {moment(tick)} UTC"
            lines.append(f"{model}: {left} of {self.budget} starts left today{clock}")
        for action in self.page.actions:
            lines += [f"{action.id:>4}  {action.status:<12}{self._what(action)}", *self._more(action)]
        return "\n".join(lines if self.page.actions else [*lines, "nothing has been asked for yet"])

    def _what(self, action: Action) -> str:
        when = (
            f"started {moment(action.started)} UTC"
            if action.started
            else f"wanted {moment(action.created)} UTC"
        )
        took = lasted(action, self.page.now)
        return f"{action.model}  {action.kind}: {action.reason} ({when}{f', {took}' if took else ''})"

    def _more(self, action: Action) -> list[str]:
        told = [stage["detail"] for stage in self.page.stages if stage["action"] == action.id]
        if action.ended is None and action.waiting_for:
            next_look = ago(self.page.now, action.not_before)
            told.append(f"waits for {action.waiting_for}, next look {next_look}")
        told.append(action.detail)
        if action.id in self.page.cancels:
            told.append(f"to be {self.page.cancels[action.id]}")
        told.append(f"run {action.run_id}" if action.run_id else "")
        told.append(f"seen now: {self.seen[action.id]}" if action.id in self.seen else "")
        return [f"      {text}" for text in told if text]


def retune_status(spec: RetuneSpec, *, model: str = "", limit: int = 10) -> Status:
    """Look without changing anything.

    Args:
        spec: the trigger's specification.
        model: only this one; "" for all.
        limit: actions to tell of.

    Raises:
        SpecError: the specification does not name the model.
        StateError: the ledger cannot be used.
    """
    if model:
        spec.require(model, key="--model")
    trigger = build_trigger(spec)
    try:
        found = page(trigger.ledger, _MOST)
        actions = [action for action in found.actions if model in ("", action.model)][: max(1, limit)]
        seen = {}
        for action in actions:
            if action.status == "running" and action.source != "outside":
                try:
                    one = trigger.run_of(action)
                    seen[action.id] = " ".join(filter(None, (one.state, one.detail)))
                except MinorkeyError as error:
                    seen[action.id] = f"unknown: {error}".splitlines()[0]
        told = Page(found.now, actions, found.events, found.counts, found.stages, found.cancels)
        numbers = figures(trigger.ledger)
    finally:
        trigger.ledger.close()
    models = (model,) if model else tuple(sorted(spec.models))
    ticks: dict[str, float] = {}
    for schedule in spec.schedules:
        tick = next_tick(schedule, time.time())
        ticks[schedule.model] = min(tick, ticks.get(schedule.model, tick))
    return Status(models, told, numbers, seen, ticks, spec.daily_budget)
