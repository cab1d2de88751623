"""What a study leaves under its study root: the truth about which trials exist and how they ended."""

import json
from dataclasses import dataclass
from typing import Any

from minorkey.errors import StateError
from minorkey.trials.executor import Reported
from minorkey.trials.study_root import StudyRoot
from minorkey.trials.trial import Configuration, TrialResult

__all__ = ["Plan", "Records"]


@dataclass(frozen=True)
class Plan:
    """A trial that is to be run: decided once, and run again with the same content if it is lost."""

    number: int
    configuration: Configuration


class Records:
    """Plans, reported values and results of one study.

    Keys: ``trials/<part>/0007/plan.json``, ``.../steps/0003.json``, ``.../result.json``, and
    ``trials/<part>/closed.json`` when the study ended before its last trial.
    """

    def __init__(self, root: StudyRoot, part: str) -> None:
        self.root = root
        self._prefix = f"trials/{part}/"

    def claim(self, identity: dict[str, Any]) -> None:
        """Bind the study to what it is a study of.

        Raises:
            StateError: the study root holds a study of something else.
        """
        self._put("identity.json", identity)
        found = self._read(self._prefix + "identity.json")
        differing = sorted(key for key in identity | found if identity.get(key) != found.get(key))
        if differing:
            raise StateError(
                "the study was begun with another specification or on other rows",
                key=", ".join(differing),
                value={key: identity.get(key) for key in differing},
                allowed=str({key: found.get(key) for key in differing}),
                remedy="choose another output folder, or let the run overwrite this one",
            )

    def plans(self) -> dict[int, Plan]:
        """All plans by number."""
        return {
            number: Plan(number, Configuration.from_json(content["configuration"]))
            for number, content in self._all("plan.json").items()
        }

    def results(self) -> dict[int, TrialResult]:
        """All results by number."""
        return {
            number: TrialResult.from_json(content) for number, content in self._all("result.json").items()
        }

    def put_plan(self, plan: Plan) -> None:
        """Record that a trial is to be run."""
        self._put(f"{plan.number:04d}/plan.json", {"configuration": plan.configuration.to_json()})

    def put_step(self, number: int, reported: Reported) -> None:
        """Record a reported value."""
        content = {"value": reported.value, "folds": list(reported.folds)}
        self._put(f"{number:04d}/steps/{reported.step:04d}.json", content)

    def put_result(self, result: TrialResult) -> None:
        """Record how a trial ended."""
        self._put(f"{result.number:04d}/result.json", result.to_json())

    def close(self, timeout: float) -> None:
        """Record that the study ended at its time-out."""
        self._put("closed.json", {"timeout": timeout})

    def closed(self) -> float | None:
        """The time-out at which the study ended, None if it did not end early."""
        content = self.root.get(self._prefix + "closed.json")
        return None if content is None else float(json.loads(content)["timeout"])

    def _put(self, name: str, content: dict[str, Any]) -> None:
        self.root.put_if_absent(self._prefix + name, json.dumps(content).encode())

    def _all(self, name: str) -> dict[int, dict[str, Any]]:
        found = {}
        for key in self.root.list(self._prefix):
            number, _, rest = key.removeprefix(self._prefix).partition("/")
            if rest == name:
                found[int(number)] = self._read(key)
        return dict(sorted(found.items()))

    def _read(self, key: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self.root.get(key) or b"")
        except ValueError:
            raise StateError(
                "a record of the study is damaged", key=key, remedy="remove the folder of that trial"
            ) from None
        return content
