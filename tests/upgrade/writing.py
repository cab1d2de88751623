"""Write small stores as this version of minorkey leaves them, for later versions to read.

``python -m tests.upgrade.writing`` makes ``tests/upgrade/stores/VERSION/``. Run it once a release, and after
a format has changed; what other versions wrote stays as it is.
"""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import psycopg

from minorkey.bundle.bundle import Bundle
from minorkey.data.encoding import encode_features
from minorkey.evaluation.ledger.database import DatabaseLedger
from minorkey.feedback.ripening import ripen
from minorkey.lease.database import DatabaseLeases
from minorkey.lease.folder import FolderLeases
from minorkey.retune.ledger import Ledger
from minorkey.retune.webhook import Delivery, Event
from minorkey.search.journal import open_journal
from minorkey.search.records import Plan, Records
from minorkey.serving.pointer import Target, write_pointer
from minorkey.stores.database import _TABLES
from minorkey.trials.executor import Reported
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Configuration, Outcome, TrialResult
from tests.feedback.places import DAY, NOW, Clock, intake_of, label, record, store
from tests.stores.postgres import postgres_service

STORES = Path(__file__).with_name("stores")
#: What stands for the folder that a store was written in.
PLACE = "@PLACE@"
MODEL = "fraud"
CONFIGURATION = Configuration("logistic_regression", {"c": 0.5})
EVENT = Event("f1", 1_800_000_000_000, MODEL, "performance", "3", "MinorkeyPerformanceDown", "worse", "alert")
_RUN = (
    *("run", "--data", "rows.csv", "--target", "fraud", "--trials", "2", "--workers", "1", "--out", "out"),
    *("--set", f"model={MODEL}", "--set", "deploy.target=none", "--set", "search.finalists=1"),
    *("--set", "search.families=[logistic_regression]", "--set", "search.ensemble=1", "--quiet"),
)
_KEPT = (
    "state.json",
    "spec.json",
    "result.json",
    "verdict.json",
    "study.json",
    "profile.json",
    "deployment.json",
)


def write(folder: Path, work: Path) -> None:
    """Write every store below a folder.

    Args:
        folder: what is there is replaced.
        work: where a run is made, or lies from before.
    """
    if not (work / "out/result.json").exists():
        _run(work)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "run").mkdir(parents=True)
    for name in _KEPT:
        shutil.copy(work / "out" / name, folder / "run" / name)
    shutil.copytree(work / "out/bundle", folder / "bundle")
    shutil.copy(work / "home/openings.json", folder / "openings.json")
    _scores(folder, work / "rows.csv")
    _dump(work / "home/mlflow.db", folder / "mlflow.sql", work)
    _study(folder / "study")
    _services(folder)
    _database(folder / "database.sql")
    FolderLeases(folder / "leases").take(MODEL, "run-1")
    (folder / "leases" / f"{MODEL}.lock").unlink()
    lease = folder / "leases" / f"{MODEL}.json"
    lease.write_text(lease.read_text().replace(socket.gethostname(), "host"))
    write_pointer(folder / "current.json", Target("3", "bundles/3"))


def _run(work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    amount, score, kind = rng.lognormal(3, 1, 900), rng.normal(size=900), rng.integers(0, 3, 900)
    fraud = rng.random(900) < 1 / (1 + np.exp(3 - 3 * score))
    columns = {"amount": amount.round(2), "score": score.round(4), "kind": np.array(["a", "b", "c"])[kind]}
    rows = pd.DataFrame({**columns, "fraud": np.where(fraud, "yes", "no")})
    rows.to_csv(work / "rows.csv", index=False)
    subprocess.run(
        [sys.executable, "-m", "minorkey", *_RUN],
        cwd=work,
        env={**os.environ, "MINORKEY_HOME": str(work / "home")},
        check=True,
    )


def _scores(folder: Path, rows: Path) -> None:
    """Some rows and what the bundle says of them."""
    few = pd.read_csv(rows).head(20)
    bundle = Bundle.load(folder / "bundle")
    raw, calibrated = bundle.score(encode_features(few, bundle.info.schema))
    content = {"rows": few.to_dict("list"), "raw": raw.tolist(), "calibrated": calibrated.tolist()}
    (folder / "scores.json").write_text(json.dumps(content, indent=1))


def _study(folder: Path) -> None:
    records = Records(LocalStudyRoot(folder), "final")
    records.claim({"seed": 0, "training rows": "0" * 64})
    records.put_plan(Plan(0, CONFIGURATION))
    records.put_plan(Plan(1, CONFIGURATION))
    records.put_step(0, Reported("final/0000", 1, 0.5, (0.4, 0.6)))
    records.put_result(
        TrialResult(0, CONFIGURATION, Outcome.COMPLETE, 0.5, ((1, 0.5),), (0.4, 0.6), 1.5, 1.0)
    )
    records.close(60.0)
    with open_journal(folder) as journal:
        study = optuna.create_study(storage=journal, study_name="final", direction="maximize")
        trial = study.ask()
        trial.suggest_float("c", 0.1, 1.0)
        study.tell(trial, 0.5)
    shutil.rmtree(folder / ".partial", ignore_errors=True)
    (folder / "study.lock").unlink(missing_ok=True)


def _services(folder: Path) -> None:
    """The retune trigger's ledger and the feedback service's rows."""
    with tempfile.TemporaryDirectory() as aside:
        ledger = Ledger(f"sqlite:///{aside}/retune.db")
        ledger.record(Delivery([EVENT]), [MODEL], ["performance"], cool_down=3600.0)
        ledger.observe(MODEL, "run-7")
        ledger.close()
        clock = Clock()
        intake = intake_of(f"sqlite:///{aside}/feedback.db", clock)
        store(intake, record(1), record(2, 0.1), record(3, time=NOW + DAY))
        intake.labels("cards", [label(1), label(2, 0), label(9)])
        clock.now += DAY
        ripen(intake)
        intake.books.close()
        for name in ("retune", "feedback"):
            _dump(Path(aside, f"{name}.db"), folder / f"{name}.sql", Path(aside))


def _database(path: Path) -> None:
    """Leases and openings of a PostgreSQL database, as statements that make them."""
    with postgres_service() as service:
        url = service.create("written")
        DatabaseLeases(url).take(MODEL, "run-1")
        for run in ("run-1", "run-2"):
            DatabaseLedger(url).open("t" * 32, run)
        lines = [_TABLES.strip()]
        with psycopg.connect(url) as made:
            for row in made.execute("SELECT * FROM minorkey_leases"):
                # No host is kept, and its heartbeat would have ended long ago.
                lines.append(f"INSERT INTO minorkey_leases VALUES {(row[0], row[1], 'host', '', 4e9)};")
            for row in made.execute("SELECT test_digest, opening, run_key FROM minorkey_openings"):
                lines.append(f"INSERT INTO minorkey_openings VALUES {row};")
    path.write_text("\n".join(lines) + "\n")


def _dump(database: Path, path: Path, place: Path) -> None:
    """A database of SQLite as statements, without the names of this machine and whoever uses it."""
    with sqlite3.connect(database) as connection:
        text = "\n".join(connection.iterdump())
    text = text.replace(str(place), PLACE).replace(str(Path(sys.prefix).resolve()), "@PYTHON@")
    text = re.sub(r"('mlflow.user',)'[^']*'", r"\1'user'", text)
    path.write_text(text + "\n")


if __name__ == "__main__":
    write(STORES / version("minorkey"), Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
