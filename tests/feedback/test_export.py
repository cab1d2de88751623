from pathlib import Path

import pandas as pd
import pytest

from minorkey.cli import app
from minorkey.data.feedback import with_feedback
from minorkey.data.loading import build_dataset
from minorkey.data.sources import Limits, read_table
from minorkey.errors import DataError, SpecError
from minorkey.feedback.export import export_rows, import_labels
from minorkey.feedback.messages import MAX_ITEMS, Record
from minorkey.spec import DataSpec
from tests.feedback.places import DAY, NOW, Clock, intake_of, label, mature, record, store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'feedback.db'}"


def test_what_is_exported_a_retune_can_load(url: str, tmp_path: Path) -> None:
    clock = Clock()
    intake = intake_of(url, clock, positive="yes", negative="no", event_time="when")
    store(intake, record(1), record(2, 0.1), record(3, time=NOW + 9 * DAY))
    intake.labels("cards", [label(1), label(2, None, propensity=0.25), label(3)])
    mature(intake, clock)
    out = tmp_path / "out" / "fresh.parquet"
    assert export_rows(intake, "cards", out) == 2
    rows = pd.read_parquet(out)
    assert rows["fraud"].tolist() == ["yes", "no"] and rows["amount"].tolist() == [1.5, 2.5]
    assert rows["minorkey_weight"].tolist() == [1.0, 4.0]
    assert rows["when"].dt.tz is not None and rows["minorkey_id"].tolist() == ["r1", "r2"]
    assert list(out.parent.iterdir()) == [out]
    old = [f"{n}.0,NL,{'yes' if n % 3 else 'no'},2026-01-{n:02}T00:00:00Z" for n in range(1, 19)]
    (tmp_path / "old.csv").write_text("\n".join(["amount,country,fraud,when", *old]))
    spec = DataSpec(source=str(tmp_path / "old.csv"), target="fraud", event_time="when")
    table = read_table(spec.source, {}, Limits(100, 1_000, {}))
    joined, shared = with_feedback(table, spec, str(out))
    assert len(joined.frame) == 20 and set(shared) == {"amount", "country", "fraud", "when"}
    loaded = build_dataset(joined, spec)
    assert loaded.dataset.weight.tolist() == [1.0] * 19 + [4.0]
    assert "minorkey_weight is the weight of the rows" in " ".join(loaded.assumptions)
    weighed = spec.model_copy(update={"weight": "amount"})
    with pytest.raises(DataError) as caught:
        with_feedback(table, weighed, str(out))
    assert caught.value.key == "data.weight"


def test_a_period_without_rows_and_a_clash_of_names_are_told(url: str, tmp_path: Path) -> None:
    clock = Clock()
    intake = intake_of(url, clock, target="amount")
    with pytest.raises(DataError, match="no mature"):
        export_rows(intake, "cards", tmp_path / "x.parquet")
    store(intake, record(1))
    mature(intake, clock)
    with pytest.raises(DataError, match="no mature"):
        export_rows(intake, "cards", tmp_path / "x.parquet", since=NOW + 1)
    with pytest.raises(DataError) as caught:
        export_rows(intake, "cards", tmp_path / "x.parquet")
    assert caught.value.key == "amount" and not list(tmp_path.glob("*x.parquet*"))
    with pytest.raises(SpecError):
        export_rows(intake, "stranger", tmp_path / "x.parquet")


def written(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_labels_of_a_file_are_joined(url: str, tmp_path: Path, suffix: str) -> None:
    intake = intake_of(url)
    store(intake, record(1), record(2), record(3))
    frame = pd.DataFrame(
        {"id": ["r1", "r2", "r3", "r4"], "label": [1, 0, None, 7], "intervened": [False, False, True, False]}
    )
    path = written(frame, tmp_path / f"labels.{suffix}")
    found = import_labels(intake, "cards", path)
    assert found.results == {"joined": 3, "refused": 1}
    assert found.reasons == {"expected 'label' 0 or 1, got 7.0": 4}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("blocked", [[0, 1], [0, None], [True, False]])
def test_ids_that_are_numbers_and_zeros_and_ones_are_understood(
    url: str, tmp_path: Path, suffix: str, blocked: list[int | None]
) -> None:
    intake = intake_of(url)
    store(intake, *[Record(str(number), NOW, 0.9, "{}") for number in (7, 8)])
    frame = pd.DataFrame({"id": [7, 8], "label": [1, 0], "intervened": blocked})
    assert import_labels(intake, "cards", written(frame, tmp_path / f"labels.{suffix}")).results == {
        "joined": 2
    }


def test_a_word_among_the_labels_of_a_csv_spoils_no_other(url: str, tmp_path: Path) -> None:
    intake, path = intake_of(url), tmp_path / "labels.csv"
    store(intake, record(1), record(2))
    path.write_text("id,label\nr1,1\nr2,0\nr3,yes\n")
    found = import_labels(intake, "cards", path)
    assert found.results == {"joined": 2, "refused": 1}
    assert found.reasons == {"expected 'label' 0 or 1, got 'yes'": 3}


def test_reasons_of_a_long_file_are_told_once_with_their_first_row(url: str, tmp_path: Path) -> None:
    labels = [1] * (MAX_ITEMS + 1) + [2, 2]
    frame = pd.DataFrame({"id": [f"r{number}" for number in range(len(labels))], "label": labels})
    found = import_labels(intake_of(url), "cards", written(frame, tmp_path / "labels.parquet"))
    assert found.results == {"early": MAX_ITEMS + 1, "refused": 2}
    assert found.reasons == {"expected 'label' 0 or 1, got 2": MAX_ITEMS + 2}


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "label\n1\n"), ("a.txt", "id\n"), ("a.parquet", "x")]
)
def test_a_file_that_holds_no_labels_is_refused(url: str, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as caught:
        import_labels(intake_of(url), "cards", tmp_path / name)
    assert name in caught.value.key


def test_the_commands_work_on_the_services_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("feedback.yaml").write_text("models: {cards: {target: fraud, label_horizon: 1d}}\n")
    clock = Clock()
    intake = intake_of(f"sqlite:///{tmp_path / 'feedback.db'}", clock)
    store(intake, record(1), record(2))
    Path("labels.csv").write_text("id,label\nr1,1\n")

    def run(*words: str) -> str:
        app(["feedback", *words], result_action="return_value")
        return capsys.readouterr().out

    assert run("import", "feedback.yaml", "cards", "labels.csv") == "joined: 1\n"
    Path("labels.csv").write_text("id,label,analyst\nr1,1,kim\nr2,yes,kim\nr3,no,\n")
    with pytest.raises(DataError, match="every label was refused") as caught:
        run("import", "feedback.yaml", "cards", "labels.csv")
    assert caught.value.exit_code == 2
    reasons = capsys.readouterr().out
    assert reasons.startswith("refused: 3\n  row 1: unknown key 'analyst'; allowed: id, ")
    assert reasons.count("analyst") == 1 and "  row 3: expected 'label' 0 or 1, got 'no'\n" in reasons
    assert run("delete", "feedback.yaml", "cards", "r2") == "deleted\n"
    mature(intake, clock)
    assert "1 rows" in run("export", "feedback.yaml", "cards", "fresh.parquet", "--since", "2020-01-01")
    from minorkey.feedback.service import labels_ready

    assert labels_ready("cards", 1)[0] is True and labels_ready("cards", 2)[0] is False
    assert labels_ready("cards", 1, since=NOW - 1) == (
        True,
        "1 mature positives of rows after 2027-01-15 07:59 UTC; 1 are wanted",
    )
    assert labels_ready("cards", 1, since=NOW)[0] is False
    for content in ("models: {}", "models: {cards: {target: y, label_horizon: soon}}", "x"):
        Path("feedback.yaml").write_text(content)
        with pytest.raises(SpecError):
            run("delete", "feedback.yaml", "cards", "r2")
