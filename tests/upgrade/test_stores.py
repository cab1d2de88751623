"""Every store that an earlier version wrote is read by this one; what a newer one wrote is refused."""

import json
import math
import shutil
import sqlite3
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.cli import app
from minorkey.data.encoding import encode_features
from minorkey.errors import BundleError, StateError
from minorkey.evaluation.ledger.database import DatabaseLedger
from minorkey.evaluation.ledger.file import FileLedger
from minorkey.lease.database import DatabaseLeases
from minorkey.lease.folder import FolderLeases
from minorkey.registry import bundle_of_version, fetch_bundle, version_to_beat
from minorkey.retune.ledger import Ledger
from minorkey.retune.webhook import Delivery
from minorkey.run_state import RunFolder
from minorkey.search.journal import open_journal
from minorkey.search.records import Records
from minorkey.search.warm_start import configurations_to_start_from
from minorkey.serving.pointer import read_pointer
from minorkey.spec import load_spec
from minorkey.tracking import version_of
from minorkey.trials.study_root import LocalStudyRoot
from tests.feedback.places import counts, intake_of, label
from tests.upgrade.writing import CONFIGURATION, EVENT, MODEL, PLACE, STORES


@pytest.fixture(params=sorted(path.name for path in STORES.iterdir()))
def stores(request, tmp_path):
    """A copy of what a version wrote."""
    return Path(shutil.copytree(STORES / request.param, tmp_path / "stores"))


def restored(statements: Path, place: Path) -> str:
    """Address of a database of SQLite that holds the statements."""
    path = place / f"{statements.stem}.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(statements.read_text().replace(PLACE, str(place)))
    return f"sqlite:///{path}"


def copied(statements: Path, url: str) -> str:
    """The same statements in PostgreSQL."""
    lines = [line for line in statements.read_text().splitlines() if not line.startswith("PRAGMA")]
    with psycopg.connect(url) as made:
        made.execute("\n".join(lines).removeprefix("BEGIN TRANSACTION;").removesuffix("COMMIT;").encode())
    return url


def columns(books) -> set:
    """Table, name, kind and default of every column of a service."""
    with books.transaction(alone=False) as made:
        if not books.embedded:
            query = (
                "SELECT table_name, column_name, data_type, column_default FROM information_schema.columns "
            )
            return set(made.rows(query + "WHERE starts_with(table_name, 'minorkey_')"))
        tables = [name for (name,) in made.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {(name, *row[1:5]) for name in tables for row in made.rows(f"PRAGMA table_info({name})")}


def test_this_version_has_written_its_stores():
    assert (STORES / version("minorkey")).is_dir(), "run python -m tests.upgrade.writing"


def test_a_bundle_gives_the_scores_that_it_gave(stores):
    bundle, told = Bundle.load(stores / "bundle"), json.loads((stores / "scores.json").read_text())
    raw, calibrated = bundle.score(encode_features(pd.DataFrame(told["rows"]), bundle.info.schema))
    np.testing.assert_allclose(raw, told["raw"], atol=1e-5)
    np.testing.assert_allclose(calibrated, told["calibrated"], atol=1e-5)
    assert configurations_to_start_from(bundle.info)[0].family == "logistic_regression"
    assert bundle.info.reference and bundle.info.membership and bundle.info.lineage["run_key"]


def test_a_run_is_known_and_its_report_read(stores, capsys, monkeypatch):
    monkeypatch.setenv("MINORKEY_HOME", str(stores / "home"))
    (stores / "run/report.html").touch()
    app(["report", str(stores / "run")], exit_on_error=False, result_action="return_value")
    assert "average precision" in capsys.readouterr().out
    with pytest.raises(StateError, match="finished run"), RunFolder.hold(stores / "run", spec_of(stores)):
        pass


def spec_of(stores):
    return load_spec(stores / "run/spec.json")


def test_the_registry_tells_champion_and_bundle(stores, monkeypatch):
    home = stores / "home"
    monkeypatch.setenv("MINORKEY_HOME", str(home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", restored(stores / "mlflow.sql", stores))
    uri = bundle_of_version(MODEL, version_of(MODEL, "champion"))
    shutil.copytree(stores / "bundle", uri)
    assert Bundle.load(fetch_bundle(uri)).digest == Path(uri).name
    run_key = json.loads((stores / "run/result.json").read_text())["run_key"]
    assert (version_to_beat(MODEL, "another"), version_to_beat(MODEL, run_key)) == ("1", "")


def test_a_registry_of_another_mlflow_is_told_with_what_brings_it_on(stores, monkeypatch):
    monkeypatch.setenv("MINORKEY_HOME", str(stores / "home"))
    url = restored(stores / "mlflow.sql", stores)
    with sqlite3.connect(stores / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    with pytest.raises(StateError, match="another version of MLflow") as caught:
        version_of(MODEL, "champion")
    assert f"db upgrade {url}" in caught.value.remedy


def test_openings_of_a_test_are_counted_on(stores):
    ledger = FileLedger(stores / "openings.json")
    (digest,) = json.loads((stores / "openings.json").read_text())["openings"]
    assert ledger.open(digest, "another") == 2


def test_leases_and_openings_of_a_cluster_go_on(stores, database):
    copied(stores / "database.sql", database)
    assert DatabaseLeases(database).holder(MODEL).run_key == "run-1"
    with pytest.raises(StateError, match="in flight"):
        DatabaseLeases(database).take(MODEL, "run-2")
    assert DatabaseLedger(database).open("t" * 32, "run-3") == 3


def test_a_lease_is_held(stores):
    assert FolderLeases(stores / "leases", validity=math.inf).holder(MODEL).run_key == "run-1"


def test_what_is_served_is_known(stores):
    assert read_pointer(stores / "current.json").version == "3"


def test_a_study_is_read_with_its_books(stores):
    records = Records(LocalStudyRoot(stores / "study"), "final")
    records.claim({"seed": 0, "training rows": "0" * 64})
    assert [plan.configuration for plan in records.plans().values()] == [CONFIGURATION] * 2
    (result,) = records.results().values()
    assert (result.value, result.fold_scores, records.closed()) == (0.5, (0.4, 0.6), 60.0)
    with open_journal(stores / "study") as journal:
        (study,) = journal.get_all_studies()
        (trial,) = journal.get_all_trials(study._study_id)
        assert trial.values == [0.5]


@pytest.mark.parametrize("place", ["sqlite", "postgresql"])
def test_the_retune_ledger_goes_on(stores, place, request):
    old = stores / "retune.sql"
    url = restored(old, stores) if place == "sqlite" else copied(old, request.getfixturevalue("database"))
    ledger = Ledger(url)
    (waiting,) = ledger.waiting()
    assert (waiting.model, waiting.kind) == (MODEL, "performance")
    again = ledger.record(Delivery([EVENT]), [MODEL], ["performance"], cool_down=1e12)
    assert again.dispositions == {"duplicate": 1}
    assert ledger.action(2).run_id == "run-7"
    fresh = Ledger(fresh_url(place, stores, request))
    assert columns(ledger.books) == columns(fresh.books), "a column without a migration"
    ledger.close()
    fresh.close()


@pytest.mark.parametrize("place", ["sqlite", "postgresql"])
def test_predictions_and_labels_go_on(stores, place, request):
    old = stores / "feedback.sql"
    url = restored(old, stores) if place == "sqlite" else copied(old, request.getfixturevalue("database"))
    intake = intake_of(url)
    assert counts(intake, "outcome") == {"11": 1.0, "00": 1.0}
    assert intake.labels("cards", [label(3)])["joined"] == 1
    fresh = intake_of(fresh_url(place, stores, request))
    assert columns(intake.books) == columns(fresh.books), "a column without a migration"
    intake.books.close()
    fresh.books.close()


def fresh_url(place, stores, request) -> str:
    if place == "sqlite":
        return f"sqlite:///{stores}/fresh.db"
    return request.getfixturevalue("postgres_server").create(f"fresh-{stores.parent.name}")


def test_what_a_newer_version_wrote_is_refused_and_says_so(stores):
    def rewrite(path, **changes):
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    rewrite(stores / "openings.json", format=2)
    with pytest.raises(StateError, match="newer minorkey") as caught:
        FileLedger(stores / "openings.json").openings("t")
    assert "before the upgrade" in caught.value.remedy
    rewrite(stores / "run/state.json", format=2)
    with pytest.raises(StateError, match="newer minorkey"), RunFolder.hold(stores / "run", spec_of(stores)):
        pass
    rewrite(stores / "bundle/bundle.json", format=2)
    with pytest.raises(BundleError, match="another format") as bundle:
        Bundle.load(stores / "bundle")
    assert "a newer one" in bundle.value.remedy
    plan = stores / "study/trials/final/0000/plan.json"
    rewrite(plan, configuration=CONFIGURATION.to_json() | {"later": 1})
    with pytest.raises(StateError, match="newer minorkey"):
        Records(LocalStudyRoot(stores / "study"), "final").plans()


def test_a_lease_of_a_newer_version_still_counts(stores):
    path = stores / "leases" / f"{MODEL}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"later": 1}))
    assert FolderLeases(stores / "leases", validity=math.inf).holder(MODEL).run_key == "run-1"
