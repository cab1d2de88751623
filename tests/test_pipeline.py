"""The graph: what it connects, that its compiled form is current, and that it runs here, sealed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest
import yaml

from components.image import IMAGE
from minorkey.cli import main
from minorkey.cluster.spec import load_cluster_spec
from minorkey.errors import DataError, StateError
from minorkey.evaluation.metrics import METRICS
from minorkey.result import print_summary, write_result
from minorkey.run_state import RunFolder
from minorkey.serving import local
from minorkey.spec import RunSpec, with_overrides
from minorkey.tracking import champion_version
from pipelines.compiling import compile_pipelines
from pipelines.local import run

ROOT = Path(__file__).parents[1]
MARKER = "marker-of-a-sealed-row"

#: Everything that may flow between two steps. `tune` has no edge from the test; only `evaluate` has.
EDGES = {
    ("load.data", "preprocess.data"),
    ("preprocess.train", "tune.train"),
    ("preprocess.test", "evaluate.test"),
    ("tune.bundle", "evaluate.bundle"),
    ("tune.baselines", "evaluate.baselines"),
    ("tune.study", "evaluate.study"),
    ("tune.bundle", "register.bundle"),
    ("tune.study", "register.study"),
    ("evaluate.verdict", "register.verdict"),
    ("evaluate.report", "register.report"),
    ("evaluate.card", "register.card"),
    ("load.run_key", "tune.run_key"),
    ("load.run_key", "evaluate.run_key"),
    ("load.run_key", "register.run_key"),
    ("load.champion_version", "evaluate.champion_version"),
    ("load.champion_version", "deploy.champion_version"),
    ("register.model_version", "deploy.model_version"),
    ("register.bundle_uri", "deploy.bundle_uri"),
    ("evaluate.Output", "if"),
}

#: The sections of the specification, which `configure` gives out, and the one step that receives each.
SECTIONS = {
    ("configure.data", "load.data_section"),
    ("configure.split", "preprocess.split_section"),
    ("configure.search", "tune.search_section"),
    ("configure.monitor", "tune.monitor_section"),
    ("configure.evaluate", "evaluate.evaluate_section"),
    ("configure.deploy", "deploy.deploy_section"),
}

#: What every step may know, and whom the form reaches directly.
PLAIN = {"configure.model", "configure.seed"}
FORM = {
    "configure": {
        "data", "target", "positive", "trials", "timeout", "seed", "model", "reason", "mode", "spec",
    },
    "release": {"data", "target", "model", "spec"},
    "tune": {"reason", "base_version"},
    "load": {"base_version", "feedback_uri", "until"},
}  # fmt: skip


def compiled(name: str = "tune.yaml") -> dict:
    return next(yaml.safe_load_all((ROOT / "pipelines/compiled" / name).read_text()))


def tasks(content: dict) -> dict[str, dict]:
    """Every step of a compiled pipeline, wherever it is nested."""
    groups = [content["root"]["dag"]["tasks"]]
    groups += [part["dag"]["tasks"] for part in content["components"].values() if "dag" in part]
    found = {name: task for group in groups for name, task in group.items()}
    return {name: task for name, task in found.items() if task["componentRef"]["name"] == f"comp-{name}"}


def steps(content: dict) -> dict[str, dict]:
    return {
        name: task
        for name, task in tasks(content).items()
        if "executorLabel" in content["components"][task["componentRef"]["name"]]
    }


def flows(content: dict) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Edges between steps, and from the pipeline's inputs to steps, of a compiled pipeline."""
    edges, inputs = set(), set()
    names = "|".join(steps(content))
    for name, task in steps(content).items():
        given = task.get("inputs", {})
        for key, value in {**given.get("parameters", {}), **given.get("artifacts", {})}.items():
            produced = value.get("taskOutputParameter") or value.get("taskOutputArtifact")
            outer = value.get("componentInputParameter", "")
            if produced:
                (output,) = (text for field, text in produced.items() if field.startswith("output"))
                edges.add((f"{produced['producerTask']}.{output}", f"{name}.{key}"))
            elif match := re.fullmatch(rf"pipelinechannel--({names})-(\w+)", outer):
                edges.add((f"{match[1]}.{match[2]}", f"{name}.{key}"))
            elif outer:
                inputs.add((name, outer.removeprefix("pipelinechannel--")))
            else:
                assert set(value) == {"runtimeValue"}, (name, key)
    condition = tasks(content)["condition-2"]["triggerPolicy"]["condition"]
    for step, output in re.findall(r"pipelinechannel--(\w+)-(\w+)'", condition):
        edges.add((f"{step}.{output}", "if"))
    return edges, inputs


def test_nothing_flows_but_what_is_listed():
    edges, _ = flows(compiled())
    assert {edge for edge in edges if not edge[0].startswith("configure.")} == EDGES


def test_each_step_receives_only_its_own_section():
    edges, inputs = flows(compiled())
    given = {edge for edge in edges if edge[0].startswith("configure.")}
    assert {edge for edge in given if edge[0] not in PLAIN} == SECTIONS
    assert {name: {field for step, field in inputs if step == name} for name, _ in inputs} == FORM


def test_a_compiled_cluster_changes_no_flow():
    assert flows(compiled("example-cluster/tune.yaml")) == flows(compiled())


def test_every_field_of_the_form_is_explained_and_optional():
    fields = compiled()["root"]["inputDefinitions"]["parameters"]
    assert set(fields) == set().union(*FORM.values())
    assert all(field["description"] and field["isOptional"] for field in fields.values())
    assert fields["trials"]["parameterType"] == fields["seed"]["parameterType"] == "NUMBER_INTEGER"
    assert fields["timeout"]["parameterType"] == "NUMBER_DOUBLE"


def test_deploy_is_the_only_conditional_step_and_nothing_is_cached():
    content = compiled()
    assert set(content["components"]["comp-condition-2"]["dag"]["tasks"]) == {"deploy"}
    assert set(content["root"]["dag"]["tasks"]) == {"exit-handler-1", "release"}
    assert len(steps(content)) == 8
    assert all(task.get("cachingOptions", {}) == {} for task in steps(content).values())
    assert "== 'promote'" in tasks(content)["condition-2"]["triggerPolicy"]["condition"]


def test_the_lease_is_released_however_the_run_ends():
    content = compiled()
    release = content["root"]["dag"]["tasks"]["release"]
    assert release["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    run_ids = {
        name: steps(content)[name]["inputs"]["parameters"]["run_id"]["runtimeValue"]["constant"]
        for name in ("load", "release")
    }
    assert set(run_ids.values()) == {"{{$.pipeline_job_uuid}}"}


@pytest.mark.parametrize(("folder", "cluster"), [(".", None), ("example-cluster", "example")])
def test_committed_yaml_is_what_compiles_now(tmp_path, folder, cluster):
    spec = cluster and load_cluster_spec(ROOT / f"specs/cluster/{cluster}.yaml")
    for path in compile_pipelines(tmp_path, cluster=spec):
        committed = ROOT / "pipelines/compiled" / folder / path.name
        assert path.read_text() == committed.read_text(), "run `make compile`"


def test_compiling_for_an_image_replaces_it_everywhere(tmp_path):
    for path, steps_of in zip(
        compile_pipelines(tmp_path, "registry.test/a@sha256:0123"), (8, 6), strict=True
    ):
        text = path.read_text()
        assert IMAGE not in text
        assert text.count("image: registry.test/a@sha256:0123") == steps_of


def labelled_rows(rows: int = 2_500, *, seed: int = 11, start: str = "2025-01-01") -> pd.DataFrame:
    """Rows in time order, a tenth positive; the last one, which a time split seals, carries the marker."""
    random = np.random.default_rng(seed)
    signal_, noise = random.normal(size=rows), random.normal(size=rows)
    positive = random.random(rows) < 1 / (1 + np.exp(3.2 - 2.2 * signal_))
    kind = random.choice([f"kind-{n}" for n in range(14)], rows).astype(object)
    kind[-1] = MARKER
    when = pd.date_range(start, periods=rows, freq="h").astype(str)
    return pd.DataFrame(
        {"when": when, "signal": signal_, "noise": noise, "kind": kind, "y": positive.astype(int)}
    )


def small_spec(source: Path, **overrides: object) -> RunSpec:
    content = {
        "model": "small",
        "data": {"source": str(source), "target": "y", "event_time": "when"},
        "split": {"folds": 3},
        "search": {
            "trials": 3,
            "workers": 1,
            "families": ["logistic_regression"],
            "finalists": 2,
            "resamplers": ["none"],
        },
        "evaluate": {"bootstraps": 100},
    }
    return with_overrides(content, overrides)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINORKEY_HOME", str(folder))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def finished(home, tmp_path_factory):
    """A run of the whole pipeline; where the marker was found is recorded before the work is forgotten."""
    folder = tmp_path_factory.mktemp("run")
    labelled_rows().to_csv(folder / "rows.csv", index=False)
    found: dict[str, list[str]] = {}
    events: list[dict] = []

    def look(run_folder: RunFolder) -> None:
        (root,) = (run_folder.work / "pipeline").glob("tune-*")
        for step in root.iterdir():
            found[step.name] = [
                str(path) for path in step.rglob("*") if path.is_file() and holds_marker(path)
            ]
        shown = {name: (root / "evaluate" / name).read_text() for name in ("summary", "report")}
        found["shown"] = [shown["summary"], shown["report"][:100]]
        log = json.loads((root / "evaluate" / "executor_output.json").read_text())
        found["metrics"] = [json.dumps(log["artifacts"]["metrics"]["artifacts"][0]["metadata"])]
        found["study root"] = [
            str(path) for path in run_folder.study.rglob("*") if path.is_file() and holds_marker(path)
        ]
        write_result(run_folder)

    out = folder / "out"
    run(small_spec(folder / "rows.csv"), out, watch=events.append, finish=look)
    yield out, found, events
    deployment = json.loads((out / "deployment.json").read_text())
    if deployment["pid"]:
        psutil.Process(deployment["pid"]).terminate()


def holds_marker(path: Path) -> bool:
    if path.suffix == ".parquet":
        return MARKER in pd.read_parquet(path).to_csv()
    return MARKER.encode() in path.read_bytes()


def test_the_sealed_row_is_seen_by_no_step_that_must_not_see_it(finished):
    _, found, _ = finished
    assert found["load"] and any("test" in path for path in found["preprocess"])
    assert not [path for path in found["preprocess"] if "/train/" in path]
    for where in ("tune", "register", "deploy", "study root"):
        assert found[where] == [], where


def test_what_the_ui_shows_is_there(finished):
    out, found, _ = finished
    summary, page = found["shown"]
    verdict = json.loads((out / "verdict.json").read_text())
    assert summary.startswith("# small: promote") and verdict["reason"] in summary
    assert f"{verdict['metrics']['test']['average_precision']['value']:.3f}" in summary
    assert page.lower().startswith("<!doctype html>")
    metrics = json.loads(found["metrics"][0])
    rows = [row["row"] for row in metrics["confusionMatrix"]["rows"]]
    assert rows == verdict["confusion"]
    assert len(metrics["confidenceMetrics"]) == len(verdict["roc"]["fpr"])


def test_result_holds_what_is_documented(finished):
    out, _, _ = finished
    result = json.loads((out / "result.json").read_text())
    assert set(result["metrics"]["test"]) == set(METRICS)
    assert all(set(interval) == {"value", "low", "high"} for interval in result["metrics"]["test"].values())
    assert result["metrics"]["validation"]["average_precision"] > 0.2
    assert result["data"]["rows"] == 2_500
    assert result["data"]["positives"] == labelled_rows()["y"].sum()
    assert sum(result["trials"].values()) == 3 and result["trials"]["failed"] == 0
    assert result["gate"]["decision"] == "promote"
    assert set(result["timings"]) == {
        "configure",
        "load",
        "preprocess",
        "tune",
        "evaluate",
        "register",
        "deploy",
        "release",
    }
    documented = (ROOT / "docs/reference/files.md").read_text()
    assert [key for key in result if f"`{key}" not in documented] == []


def test_the_folder_holds_what_is_documented_and_no_work(finished):
    out, _, _ = finished
    kept = {path.name for path in out.iterdir()} - {".lock"}
    assert kept == {
        "result.json", "report.html", "bundle", "model_card.md", "study.json", "verdict.json", "profile.json",
        "deployment.json", "spec.json", "state.json", "logs",
    }  # fmt: skip


def test_the_summary_ends_with_an_answer_of_the_deployed_model(finished, capsys):
    out, _, _ = finished
    print_summary(out)
    printed = capsys.readouterr().out
    assert "promote" in printed and "mlflow ui" in printed
    assert re.search(r"one prediction +score [01]\.\d{4}, predicted [01], for ", printed)
    url = json.loads((out / "deployment.json").read_text())["url"]
    assert httpx.get(f"{url}/v2/health/ready").status_code == 200


def test_a_finished_folder_is_refused_and_left_alone(finished):
    out, _, _ = finished
    before = (out / "result.json").read_bytes()
    with pytest.raises(StateError, match="finished run") as caught:
        run(small_spec(out.parent / "rows.csv"), out)
    assert "--overwrite" in caught.value.remedy
    assert (out / "result.json").read_bytes() == before


def test_an_error_of_a_step_comes_back_as_itself_and_leaves_nothing(home, tmp_path):
    labelled_rows(200).assign(y=0).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(DataError) as caught:
        run(small_spec(tmp_path / "rows.csv", model="broken"), tmp_path / "out")
    assert "y" in caught.value.key
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_killed_command_takes_its_steps_along_and_goes_on_when_repeated(home, tmp_path):
    labelled_rows().to_csv(tmp_path / "rows.csv", index=False)
    spec = small_spec(tmp_path / "rows.csv", model="killed", **{"search.trials": 6, "deploy.target": "none"})
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    out, events = tmp_path / "out", tmp_path / "out/logs/events.jsonl"
    command = [
        sys.executable,
        "-m",
        "minorkey",
        "run",
        str(tmp_path / "spec.json"),
        "--out",
        str(out),
        "--quiet",
    ]

    first = subprocess.Popen(command, cwd=tmp_path, env=os.environ.copy())
    await_(lambda: events.exists() and "trial_finished" in events.read_text(), first)
    family = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGKILL)
    first.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    finished_before = trials(events, "trial_finished")

    assert subprocess.run(command, cwd=tmp_path).returncode == 0
    result = json.loads((out / "result.json").read_text())
    assert sum(result["trials"].values()) == 6
    started = trials(events, "trial_started")
    assert all(started.count(number) == 1 for number in finished_before)
    assert sorted(set(trials(events, "trial_finished"))) == list(range(6))


@pytest.mark.slow
def test_a_run_that_ends_after_it_became_champion_is_not_compared_with_itself(home, tmp_path):
    labelled_rows().to_csv(tmp_path / "rows.csv", index=False)
    spec = small_spec(tmp_path / "rows.csv", model="crowned")
    openings: list[int] = []

    def cut(folder: RunFolder) -> None:
        verdict = json.loads((folder.out / "verdict.json").read_text())
        assert verdict["decision"] == "promote"
        openings.append(verdict["opening"])
        raise RuntimeError("cut off")

    try:
        with pytest.raises(RuntimeError, match="cut off"):
            run(spec, tmp_path / "out", finish=cut)
        first = json.loads((tmp_path / "out/deployment.json").read_text())
        run(spec, tmp_path / "out", finish=write_result)
        result = json.loads((tmp_path / "out/result.json").read_text())
    finally:
        local.stop("crowned")
    assert result["gate"]["decision"] == "promote"
    # Other tests open the same rows in this home; the resumed run spends nothing again.
    assert [result["gate"]["opening"]] == openings
    assert (result["deployment"]["version"], result["deployment"]["url"]) == (first["version"], first["url"])


@pytest.mark.slow
def test_the_command_ends_with_0_where_the_gate_keeps_the_champion(finished, tmp_path):
    out, _, _ = finished
    chosen = {"search.trials": 1, "search.finalists": 1, "deploy.target": "none"}
    (tmp_path / "spec.json").write_text(small_spec(out.parent / "rows.csv", **chosen).model_dump_json())
    before = champion_version("small")
    assert before and call("run", tmp_path / "spec.json", "--out", tmp_path / "out", "--quiet") in (0, None)
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert (result["gate"]["decision"], result["deployment"]) == ("keep", None)
    assert champion_version("small") == before


@pytest.mark.slow
def test_a_champion_is_adjusted_to_more_positives_and_serves_so(finished, tmp_path, capsys):
    out, _, _ = finished
    later = labelled_rows(12_000, seed=12, start="2025-06-01")
    # Of the negatives one in three comes: the odds of a positive are three times what they were.
    later = later[(later["y"] == 1) | (np.arange(len(later)) % 3 == 0)]
    later.drop(columns="noise").to_csv(tmp_path / "short.csv", index=False)
    later.to_csv(tmp_path / "later.csv", index=False)
    before = json.loads((out / "deployment.json").read_text())
    assert call("adjust", "small", "--data", tmp_path / "short.csv", "--out", tmp_path / "short") == 2
    assert "noise" in capsys.readouterr().err

    assert call("adjust", "small", "--data", tmp_path / "later.csv", "--out", tmp_path / "out") in (0, None)
    assert "the fix works" in capsys.readouterr().out
    result = json.loads((tmp_path / "out/result.json").read_text())
    verdict = json.loads((tmp_path / "out/verdict.json").read_text())
    assert result["gate"]["decision"] == "promote" and verdict["action"] in ("shift", "platt")
    assert verdict["adjustment"]["intercept"] == pytest.approx(np.log(3), abs=0.4)
    deployment = result["deployment"]
    assert (deployment["url"], deployment["pid"]) == (before["url"], before["pid"])
    assert int(deployment["version"]) > int(before["version"])
    assert champion_version("small") == deployment["version"]
    page = (tmp_path / "out/report.html").read_text()
    assert "Reliability" in page and "https://" not in page


def call(*arguments: object) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def trials(events: Path, kind: str) -> list[int]:
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    return [line["number"] for line in lines if line["event"] == kind]


def await_(condition, process, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the command ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.02)
