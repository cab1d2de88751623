"""Recurring runs with the real API's semantics, and the controller that starts their runs.

Names need not be unique. A recurring run is never changed but for its mode. Deleting one deletes the
workflows of its runs that go on, unless the server is 2.16 or later and is asked to orphan them. The
controller starts runs of enabled ones only, for moments after the last one it ran for, else after the
creation: one that is enabled late makes up for what it missed, for the last moment alone with ``no_catchup``.

Expressions are checked, but not followed: every schedule is due at each `tick`.
"""

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.kfp.refusal import Refusal

Object = dict[str, Any]
FINAL = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}
BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


@dataclass
class RecurringRuns:
    """The table of recurring runs.

    Attributes:
        table: by id.
        ticks: moments at which all were due.
        last: the last moment that each was run for.
        most_enabled: how many of a display name were enabled at once, at most.
        ended: runs whose workflow was deleted with their recurring run.
    """

    table: dict[str, Object] = field(default_factory=dict)
    ticks: list[str] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=dict)
    most_enabled: dict[str, int] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)

    def route(self, database: Any, verb: str, rest: str, query: dict[str, str], body: bytes) -> Object:
        if not rest and verb == "POST":
            return self.create(database, json.loads(body))
        if not rest and verb == "GET":
            return self.listed(database, query)
        match = re.fullmatch(r"/([^/:]+)(?::(enable|disable))?", rest)
        if match is None or (match[2] and verb != "POST") or (not match[2] and verb not in ("GET", "DELETE")):
            raise Refusal(404, f"Not Found: {verb} recurringruns{rest}")
        if match[1] not in self.table:
            raise Refusal(404, f"Recurring run {match[1]} not found")
        if match[2]:
            self.table[match[1]] |= {"mode": match[2].upper(), "updated_at": database.now()}
            self.work(database)
            return {}
        if verb == "DELETE":
            return self.delete(database, match[1], query.get("propagation_policy", ""))
        return self.table[match[1]]

    def create(self, database: Any, body: Object) -> Object:
        if not body.get("display_name"):
            raise Refusal(
                400, "Invalid input error: Recurring run name is empty. Please specify a valid name"
            )
        if body.get("experiment_id") not in database.experiments:
            raise Refusal(404, f"Experiment {body.get('experiment_id')} not found")
        if not 1 <= int(body.get("max_concurrency") or 0) <= 10:
            raise Refusal(400, "Invalid input error: Max concurrency of a recurring run must be 1 to 10")
        require_cron(body["trigger"]["cron_schedule"]["cron"])
        database.require_inputs(body)
        identity = str(uuid.uuid4())
        namespace = database.experiments[body["experiment_id"]]["namespace"]
        stamps = {"recurring_run_id": identity, "namespace": namespace, "created_at": database.now()}
        self.table[identity] = {**body, **stamps, "status": "STATUS_UNSPECIFIED"}
        self.work(database)
        return self.table[identity]

    def delete(self, database: Any, identity: str, policy: str) -> Object:
        orphans = tuple(int(part) for part in database.version.split(".")[:2]) >= (2, 16)
        for run in [] if orphans and policy == "ORPHAN" else self.runs(database, identity):
            if run["state"] not in FINAL:
                run["state"] = "FAILED"
                self.ended.append(run["run_id"])
        del self.table[identity]
        return {}

    def listed(self, database: Any, query: dict[str, str]) -> Object:
        namespace = query.get("namespace", "")
        database.require_namespace(namespace)
        chosen = [one for one in self.table.values() if one["namespace"] == namespace]
        chosen.sort(key=lambda one: one["created_at"], reverse=query.get("sort_by", "").endswith(" desc"))
        start, size = int(query.get("page_token") or 0), int(query.get("page_size") or 20)
        more = {"next_page_token": str(start + size)} if start + size < len(chosen) else {}
        return {"recurringRuns": chosen[start : start + size], "total_size": len(chosen), **more}

    def tick(self, database: Any) -> str:
        """A moment at which every schedule is due."""
        with database.lock:
            self.ticks.append(database.now())
            self.work(database)
        return self.ticks[-1]

    def work(self, database: Any) -> None:
        """What the controller does whenever something changes."""
        enabled = [one for one in self.table.values() if one["mode"] == "ENABLE"]
        for one in enabled:
            same = sum(other["display_name"] == one["display_name"] for other in enabled)
            self.most_enabled[one["display_name"]] = max(same, self.most_enabled.get(one["display_name"], 0))
            since = self.last.get(one["recurring_run_id"], one["created_at"])
            due = [moment for moment in self.ticks if moment > since]
            for moment in due[-1:] if one.get("no_catchup") else due:
                self.start(database, one, moment)

    def start(self, database: Any, one: Object, moment: str) -> None:
        going = [run for run in self.runs(database, one["recurring_run_id"]) if run["state"] not in FINAL]
        if len(going) >= int(one["max_concurrency"]):
            return
        run = {name: one[name] for name in ("experiment_id", "display_name", "runtime_config")}
        run |= {"pipeline_version_reference": one["pipeline_version_reference"], "state": "RUNNING"}
        run |= {"run_id": str(uuid.uuid4()), "recurring_run_id": one["recurring_run_id"]}
        database.runs[run["run_id"]] = {**run, "scheduled_at": moment, "created_at": database.now()}
        database.states[run["run_id"]] = []
        self.last[one["recurring_run_id"]] = moment

    def runs(self, database: Any, identity: str) -> list[Object]:
        return [run for run in database.runs.values() if run.get("recurring_run_id") == identity]


def require_cron(text: str) -> None:
    """What robfig/cron v1 takes: five or six fields; with five the day of the week is left out."""
    fields = text.split()
    try:
        if len(fields) not in (5, 6):
            raise ValueError(f"Expected 5 to 6 fields, found {len(fields)}: {text}")
        for given, (low, high) in zip(fields, BOUNDS, strict=False):
            for part in given.split(","):
                reach, _, step = part.partition("/")
                ends = [] if reach in ("*", "?") else [int(end) for end in reach.split("-")]
                sound = all(low <= end <= high for end in ends) and ends == sorted(ends)
                if not sound or (step and int(step) < 1):
                    raise ValueError(f"out of range: {part}")
    except ValueError as error:
        raise Refusal(
            400, f"Invalid input error: Schedule cron is not a supported format. Error: {error}"
        ) from None
