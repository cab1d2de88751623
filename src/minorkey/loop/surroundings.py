"""The files that the loop's services read, and their command lines."""

import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from minorkey.drift.rules import KINDS, LOOP, Addresses, render, render_alertmanager, render_prometheus
from minorkey.errors import StateError
from minorkey.loop.plan import MODEL, TARGET, LoopData, Plan, run_spec
from minorkey.loop.services import Ports, Service

__all__ = ["Files", "services", "write_files"]

#: The file by which a loop knows a folder as that of an earlier one.
_MARKER = ".minorkey-loop"
#: What a loop had written before there was a marker.
_SETTINGS = ("run.yaml", "retune.token", "feedback.token", "alertmanager.yaml")


@dataclass(frozen=True)
class Files:
    """Where everything of a loop lies."""

    out: Path
    home: Path
    data: Path
    settings: Path
    logs: Path
    first: Path
    run_spec: Path
    retune_spec: Path
    feedback_spec: Path
    retune_token: Path
    feedback_token: Path
    prometheus: Path
    alertmanager: Path
    account: Path
    page: Path
    dashboard: Path
    answers: Path

    @classmethod
    def below(cls, out: Path) -> "Files":
        """The files of a loop, in an empty folder.

        Args:
            out: what an earlier loop left there is removed; other files stay.

        Raises:
            StateError: the folder holds files but no loop's, or cannot be used.
        """
        settings = out / "settings"
        made = cls(
            out=out,
            home=out / "home",
            data=out / "data",
            settings=settings,
            logs=out / "logs",
            first=out / "first",
            run_spec=settings / "run.yaml",
            retune_spec=settings / "retune.yaml",
            feedback_spec=settings / "feedback.yaml",
            retune_token=settings / "retune.token",
            feedback_token=settings / "feedback.token",
            prometheus=settings / "prometheus.yaml",
            alertmanager=settings / "alertmanager.yaml",
            account=out / "loop.json",
            page=out / "loop.html",
            dashboard=out / "dashboard.html",
            answers=out / "answers.parquet",
        )
        try:
            _require_own(out)
            made._remove()
            out.mkdir(parents=True, exist_ok=True)
            (out / _MARKER).write_text("minorkey loop has made this folder, and replaces what lies in it.\n")
            made.settings.mkdir()
        except OSError as error:
            raise StateError(
                "the folder of the loop cannot be used",
                key="--out",
                value=f"{error.filename or out}: {error.strerror or error}",
                remedy="name a folder that you may make and write to",
            ) from None
        return made

    def _remove(self) -> None:
        """Remove what an earlier loop left."""
        folders = (self.home, self.data, self.settings, self.logs, self.first)
        for folder in (*folders, self.out / "series", self.out / "notifications"):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.account, self.page, self.dashboard, self.answers):
            file.unlink(missing_ok=True)


def _require_own(out: Path) -> None:
    """Refuse a folder with files that no loop has put there."""
    if not out.exists() or not any(out.iterdir()) or (out / _MARKER).exists():
        return
    if all((out / "settings" / name).exists() for name in _SETTINGS):
        return
    raise StateError(
        "the folder holds files, and no earlier loop has made it; a loop replaces what it finds there",
        key="--out",
        value=out,
        allowed=f"a folder that is empty or not there yet, or one of an earlier loop (with {_MARKER})",
        remedy="name another folder",
    )


def write_files(plan: Plan, files: Files, ports: Ports, data: LoopData) -> None:
    """Write specifications, tokens, rules and the configurations of Prometheus and Alertmanager."""
    for token in (files.retune_token, files.feedback_token):
        with open(token, "w", encoding="utf-8", opener=_private) as stream:
            stream.write(secrets.token_urlsafe(32))
    _write(files.run_spec, run_spec(plan, data.history, ports.predictor))
    _write(
        files.feedback_spec,
        {
            "poll_seconds": 1.0,
            "models": {
                MODEL: {
                    "target": TARGET,
                    "label_horizon": f"{plan.horizon_seconds}s",
                    "event_time": "time",
                }
            },
        },
    )
    _write(
        files.retune_spec,
        {
            "models": {MODEL: {"spec": str(files.run_spec)}},
            "feedback_spec": str(files.feedback_spec),
            "cool_down": f"{plan.cool_down_seconds}s",
            "min_positives": 50,
            "poll_seconds": 0.5,
        },
    )
    for kind in KINDS:
        (files.settings / kind).mkdir()
        (files.settings / kind / f"{LOOP.name}.yaml").write_text(render(kind, LOOP), encoding="utf-8")
    addresses = Addresses(
        predictors=(f"127.0.0.1:{ports.predictor}",),
        feedback=(f"127.0.0.1:{ports.feedback}",),
        triggers=(f"127.0.0.1:{ports.trigger}",),
        alertmanagers=(f"127.0.0.1:{ports.alertmanager}",),
        prometheus=(f"127.0.0.1:{ports.prometheus}",),
    )
    files.prometheus.write_text(render_prometheus(LOOP, addresses, monitoring="."), encoding="utf-8")
    trigger = f"http://127.0.0.1:{ports.trigger}/webhook"
    delivery = render_alertmanager(LOOP, trigger_url=trigger, token_file=str(files.retune_token))
    files.alertmanager.write_text(delivery, encoding="utf-8")


def services(files: Files, ports: Ports) -> list[Service]:
    """The services in the order of their start; the first is needed before a model is deployed."""
    ours = [sys.executable, "-m", "minorkey"]
    return [
        Service(
            "feedback",
            [*ours, "feedback", "serve", str(files.feedback_spec), "--port", str(ports.feedback)],
            f"http://127.0.0.1:{ports.feedback}/health/ready",
        ),
        Service(
            "trigger",
            [*ours, "retune", "serve", str(files.retune_spec), "--port", str(ports.trigger)],
            f"http://127.0.0.1:{ports.trigger}/health/ready",
        ),
        Service(
            "alertmanager",
            [
                "prometheus-alertmanager",
                f"--config.file={files.alertmanager}",
                f"--storage.path={files.out / 'notifications'}",
                f"--web.listen-address=127.0.0.1:{ports.alertmanager}",
                "--cluster.listen-address=",
            ],
            f"http://127.0.0.1:{ports.alertmanager}/-/ready",
        ),
        Service(
            "prometheus",
            [
                "prometheus",
                f"--config.file={files.prometheus}",
                f"--storage.tsdb.path={files.out / 'series'}",
                f"--web.listen-address=127.0.0.1:{ports.prometheus}",
            ],
            f"http://127.0.0.1:{ports.prometheus}/-/ready",
        ),
    ]


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read."""
    return os.open(path, flags, 0o600)
