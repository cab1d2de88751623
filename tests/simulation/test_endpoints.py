"""A stream against servers of the protocol that are not ours, and against a feedback service that is away."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from minorkey.cli import main
from minorkey.errors import SpecError, StateError
from minorkey.loop.services import free_ports
from minorkey.simulation import stream as streaming
from minorkey.simulation.account import summary
from minorkey.simulation.answers import AnswerError, read_answer
from minorkey.simulation.labels import LabelPlan
from minorkey.simulation.stream import Tally, Traffic, stream
from tests.serving.conftest import bundle, http, slot  # noqa: F401 -- fixtures
from tests.simulation.test_stream import rows

NAMES = ("amount", "moment", "country")
Answering = Callable[[str, Any], tuple[int, Any]]


@contextmanager
def server(answering: Answering, port: int = 0) -> Iterator[str]:
    """The address of a server that answers with status and content, given path and body (None for GET)."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def answer(self, body: Any) -> None:
            status, content = answering(self.path, body)
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        listening.server_close()


def foreign(output: dict[str, Any], **more: Any) -> Answering:
    """A server of another model: an integer output first, then this one; without data: 0.7 for every row."""

    def answering(path: str, body: Any) -> tuple[int, Any]:
        told = [{"name": "predict", "datatype": "INT64", "shape": [-1]}, {**output, "shape": [-1]}]
        if body is None:
            inputs = [{"name": name, "datatype": "FP64", "shape": [-1]} for name in NAMES]
            return 200, {"name": "m", "inputs": inputs, "outputs": told}
        count = body["inputs"][0]["shape"][0]
        data = [[1] * count, output.get("data", [0.7] * count)]
        outputs = [{**one, "data": values} for one, values in zip(told, data, strict=True)]
        wanted = [one["name"] for one in body.get("outputs", outputs)]
        if not set(wanted) <= {one["name"] for one in told}:
            return 400, {"error": "no such output"}
        return 200, {"model_name": "m", "outputs": [one for one in outputs if one["name"] in wanted], **more}

    return answering


def streamed(url: str, **changes: Any) -> Tally:
    return stream(
        rows(), Traffic(**{"url": url, "model": "m", "rows": 20, "rate": 1e5, "batch": 4} | changes)
    )


@pytest.mark.parametrize(("threshold", "called"), [(0.5, 1), (0.8, 0)])
def test_an_endpoint_without_our_output_and_threshold_is_streamed_to(threshold: float, called: int) -> None:
    with server(foreign({"name": "probability", "datatype": "FP32"})) as url:
        tally = streamed(url, threshold=threshold)
    assert tally.failed == {} and len(tally.rows) == 20
    assert {(row.score, row.predicted, row.version) for row in tally.rows} == {(0.7, called, "")}


def test_a_threshold_that_the_endpoint_tells_comes_first() -> None:
    told = foreign({"name": "p", "datatype": "FP64"}, parameters={"threshold": 0.6}, model_version="4")
    with server(told) as url:
        tally = streamed(url, threshold=0.8)
    assert {(row.predicted, row.version) for row in tally.rows} == {(1, "4")}


def test_a_request_whose_answer_holds_no_score_counts_as_failed(caplog: pytest.LogCaptureFixture) -> None:
    with server(foreign({"name": "p", "datatype": "INT64"})) as url:
        tally = streamed(url)
    assert (tally.failed, tally.rows, tally.seconds) == ({"no output of scores": 5}, [], [])
    with server(foreign({"name": "p", "datatype": "FP64"}, parameters={"threshold": "high"})) as url:
        assert streamed(url).failed == {"ValueError": 5}
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize(
    ("data", "scores"),
    [
        ([0.1, 0.9], [0.1, 0.9]),
        ([0.9, 0.1, 0.2, 0.8], [0.1, 0.8]),
        ([[0.9, 0.1], [0.2, 0.8]], [0.1, 0.8]),
        ([0.1, 0.9, 0.5], None),
        ([0.1, None], None),
        ([], None),
        ("no", None),
    ],
)
def test_scores_lie_flat_or_in_columns(data: Any, scores: list[float] | None) -> None:
    content = {"outputs": [{"name": "p", "datatype": "FP64", "data": data}]}
    if scores is None:
        with pytest.raises(AnswerError):
            read_answer(content, 2, 0.5)
    else:
        assert read_answer(content, 2, 0.5).scores.tolist() == scores


def test_an_endpoint_that_tells_no_inputs_is_refused() -> None:
    with server(lambda path, body: (200, {"name": "m"})) as url, pytest.raises(StateError, match="inputs"):
        streamed(url)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--rows", "-5"),
        ("--rows", "0"),
        ("--rate", "0"),
        ("--rate", "-3"),
        ("--rate", "inf"),
        ("--batch", "0"),
        ("--seed", "-1"),
        ("--missing", "3"),
        ("--malformed", "2"),
        ("--label-delay", "nan"),
        ("--audit", "1.5"),
        ("--strength", "nan"),
        ("--strength", "-2"),
        ("--threshold", "nan"),
    ],
)
def test_an_option_that_does_not_fit_is_named_with_what_is_allowed(
    capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    words = ["simulate", "--url", "http://127.0.0.1:9", "--model", "m", "--data", "nowhere.csv"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--target", "y", option, value])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"where:   {option}" in said and f"found:   {value}" in said and "allowed:" in said


@pytest.mark.parametrize("out", ["absent/sent.csv", "folder.csv"])
def test_a_place_for_the_output_is_looked_for_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    words = ["simulate", "--url", "http://127.0.0.1:9", "--model", "m", "--data", "builtin:cards"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--out", str(tmp_path / out)])
    assert ended.value.code == 2 and "the output cannot be written" in capsys.readouterr().err


def labelled(http: httpx.Client, feedback: str) -> Tally:  # noqa: F811
    plan = LabelPlan("full")
    return streamed(str(http.base_url), model="cards", batch=1, rows=5, labels=plan, feedback=feedback)


def test_labels_wait_for_a_feedback_service_that_comes_back(http) -> None:  # noqa: F811
    asked: list[int] = []

    def away_twice(path: str, body: Any) -> tuple[int, Any]:
        asked.append(len(body["labels"]))
        return (503, {}) if len(asked) < 3 else (200, {})

    with server(away_twice) as url:
        tally = labelled(http, url)
    assert (tally.labels, tally.labels_failed) == (5, {}) and len(asked) >= 3


def test_a_feedback_service_that_begins_to_listen_gets_the_labels(http) -> None:  # noqa: F811
    port = free_ports().feedback
    tallies: list[Tally] = []
    waiting = threading.Thread(target=lambda: tallies.append(labelled(http, f"http://127.0.0.1:{port}")))
    waiting.start()
    waiting.join(0.5)
    with server(lambda path, body: (200, {}), port):
        waiting.join(30)
    assert (tallies[0].labels, tallies[0].labels_failed) == (5, {})


def test_labels_that_nobody_takes_are_counted_by_cause(http, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    with server(lambda path, body: (401, {})) as url:
        tally = labelled(http, url)
    assert (tally.labels, tally.labels_failed) == (0, {"401 Unauthorized": 5})
    monkeypatch.setattr(streaming, "_PATIENCE_SECONDS", 0.5)
    tally = labelled(http, "http://127.0.0.1:9")
    assert (tally.labels, tally.labels_failed) == (0, {"ConnectError": 5})
    assert summary(tally)[-2:] == ["labels: 0 taken, 5 not", "labels not taken: ConnectError: 5"]


def test_the_strength_is_bounded() -> None:
    assert np.isfinite(np.exp(Traffic("", "", 1, 1.0, strength=20.0).strength))
    with pytest.raises(SpecError):
        Traffic("", "", 1, 1.0, strength=1_000.0)
