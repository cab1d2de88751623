import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import MISSING
from minorkey.data.encoding import MISSING_TOKENS, encode_features
from minorkey.errors import DataError
from minorkey.serving.app import MAX_BODY_BYTES
from minorkey.serving.predictor import Predictor
from minorkey.serving.protocol import MAX_ROWS, parse_inference, parse_rows
from minorkey.serving.refusal import Refusal
from minorkey.serving.samples import sample_rows
from minorkey.serving.slot import Slot
from minorkey.serving.verification import inference_body
from tests.serving.bundles import ROW, SCHEMA

INFER = "/v2/models/cards/infer"


def _tensors(**changes: dict[str, Any] | None) -> dict[str, Any]:
    """A valid request of one row, with some tensors changed or, with None, left out."""
    tensors: dict[str, dict[str, Any]] = {
        "amount": {"datatype": "FP64", "shape": [1], "data": [12.5]},
        "moment": {"datatype": "FP64", "shape": [1], "data": [1.7e9]},
        "country": {"datatype": "BYTES", "shape": [1], "data": ["NL"]},
    }
    for name, change in changes.items():
        if change is None:
            tensors.pop(name)
        else:
            tensors[name] = tensors.get(name, {}) | change
    return {"inputs": [{"name": name} | content for name, content in tensors.items()]}


def _output(answer: httpx.Response, name: str) -> Any:
    return next(output for output in answer.json()["outputs"] if output["name"] == name)


def _score(predictor: Predictor) -> float:
    columns = encode_features(pd.DataFrame([ROW]), SCHEMA)
    return float(predictor.bundle.score(columns)[1][0])


def _samples(http: httpx.Client) -> dict[str, float]:
    text = http.get("/metrics").text
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("path", ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/cards/ready"])
def test_health(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 200


def test_metadata_names_every_feature(http: httpx.Client, bundle: Bundle) -> None:
    content = http.get("/v2/models/cards/versions/1").json()
    assert {tensor["name"]: tensor["datatype"] for tensor in content["inputs"]} == {
        "amount": "FP64",
        "moment": "FP64",
        "country": "BYTES",
    }
    assert content["parameters"]["digest"] == bundle.digest


@pytest.mark.parametrize("rows", [1, 128, 129, 3_000])
def test_infer_answers_as_the_bundle(http: httpx.Client, bundle: Bundle, rows: int) -> None:
    columns = sample_rows(bundle.info, rows, seed=rows)
    answer = http.post(INFER, json=inference_body(columns) | {"outputs": None, "id": "a"})
    expected = bundle.score_arrays(columns)[1]
    assert answer.json()["id"] == "a"
    np.testing.assert_array_equal(_output(answer, "score")["data"], expected)
    np.testing.assert_array_equal(_output(answer, "predicted")["data"], (expected >= 0.4).astype(int))


def test_rows_are_coded_as_in_training(http: httpx.Client, bundle: Bundle) -> None:
    rows: list[dict[str, Any]] = [
        ROW,
        {"amount": None, "moment": None, "country": None},
        {"amount": " 7.5 ", "moment": "2024-03-31", "country": " BE "},
        {"amount": True, "moment": "2024-03-31T10:00:00+01:00", "country": "never seen"},
        {"amount": "NA", "moment": "?", "country": "NULL"},
        {"amount": 1, "moment": "2024", "country": "NL"},
        {"amount": 1, "moment": "2024-03", "country": "NL"},
        {"amount": -0.0, "moment": "2024-03-31T09:00:00.25Z", "country": 7.0},
    ]
    frame = encode_features(pd.DataFrame(rows, dtype=object), SCHEMA)
    answer = http.post("/predict", json=rows).json()
    scores = [prediction["score"] for prediction in answer["predictions"]]
    np.testing.assert_array_equal(scores, bundle.score(frame)[1])


@pytest.mark.parametrize("token", [*sorted(MISSING_TOKENS), " ? "])
def test_what_training_takes_for_missing_is_missing_by_every_way(token: str) -> None:
    row = {"amount": token, "moment": token, "country": token}
    missing = encode_features(pd.DataFrame([row]), SCHEMA)
    told = parse_rows(row, SCHEMA).columns
    tensors = _tensors(
        amount={"data": [None]},
        moment={"datatype": "BYTES", "data": [token]},
        country={"data": [token]},
    )
    inferred = parse_inference(tensors, SCHEMA).columns
    for name, values in missing.items():
        np.testing.assert_array_equal(told[str(name)], values.to_numpy())
        np.testing.assert_array_equal(inferred[str(name)], values.to_numpy())
    assert missing.loc[0, "country"] == MISSING and np.isnan(told["amount"][0])


@pytest.mark.parametrize(
    "text", ["1_000", "-nan", "NAN", "\N{ARABIC-INDIC DIGIT TWO}", "1,5", "0x10", "many"]
)
def test_text_that_training_refuses_as_a_number_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        encode_features(pd.DataFrame([ROW | {"amount": text}]), SCHEMA)
    with pytest.raises(Refusal, match="'amount' is numeric"):
        parse_rows(ROW | {"amount": text}, SCHEMA)


def test_integer_and_narrow_tensors(http: httpx.Client, bundle: Bundle) -> None:
    body = _tensors(
        amount={"datatype": "INT64", "shape": [1, 1], "data": [[12]]},
        moment={"datatype": "FP32", "data": [1.7e9]},
    )
    columns = {"amount": [12.0], "moment": [float(np.float32(1.7e9))], "country": np.array(["NL"], object)}
    expected = bundle.score_arrays({name: np.asarray(values) for name, values in columns.items()})[1]
    assert _output(http.post(INFER, json=body), "score")["data"] == expected.tolist()


def test_chosen_outputs(http: httpx.Client) -> None:
    answer = http.post(INFER, json=_tensors() | {"outputs": [{"name": "predicted"}]})
    assert [output["name"] for output in answer.json()["outputs"]] == ["predicted"]


def test_reasons_are_changes_of_log_odds(http: httpx.Client, bundle: Bundle) -> None:
    reference = bundle.info.reference["features"]
    answer = http.post("/predict", json={"rows": [ROW | {"amount": 60}], "reasons": 3}).json()
    reasons = {reason["feature"]: reason["effect"] for reason in answer["predictions"][0]["reasons"]}
    scores = {}
    for amount in (60, reference["amount"]["median"]):
        columns = encode_features(pd.DataFrame([ROW | {"amount": amount}]), SCHEMA)
        raw = float(bundle.score(columns)[0][0])
        scores[amount] = math.log(raw / (1 - raw))
    expected = scores[60] - scores[reference["amount"]["median"]]
    sizes = [abs(effect) for effect in reasons.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert reasons["amount"] == pytest.approx(expected, rel=1e-3)
    assert reasons["amount"] > 0


def test_reasons_in_the_protocol(http: httpx.Client, bundle: Bundle) -> None:
    body = inference_body(sample_rows(bundle.info, 3)) | {"outputs": None, "parameters": {"reasons": 2}}
    answer = http.post(INFER, json=body)
    assert _output(answer, "reasons")["shape"] == [3, 2]
    effects = np.reshape(_output(answer, "reason_effects")["data"], (3, 2))
    assert (np.abs(effects[:, 0]) >= np.abs(effects[:, 1])).all()


REFUSED = {
    "not JSON": (b"{", "not valid JSON"),
    "not UTF-8": (b'{"inputs": "\xff"}', "not valid JSON"),
    "deeply nested": (b"[" * 100_000, "not valid JSON"),
    "a list": (b"[]", "must be an object"),
    "no inputs": (b"{}", "'inputs'"),
    "missing feature": (_tensors(amount=None), "missing feature 'amount'"),
    "unknown tensor": (
        _tensors(colour={"datatype": "FP64", "shape": [1], "data": [1]}),
        "unknown feature 'colour'",
    ),
    "twice": ({"inputs": _tensors()["inputs"] * 2}, "given twice"),
    "wrong datatype": (_tensors(amount={"datatype": "BYTES", "data": ["1"]}), "datatype 'BYTES'"),
    "unknown datatype": (_tensors(amount={"datatype": "TEXT"}), "datatype 'TEXT'"),
    "text in numbers": (_tensors(amount={"data": ["much"]}), "neither null nor of datatype FP64"),
    "fraction in integers": (
        _tensors(amount={"datatype": "INT32", "data": [1.5]}),
        "neither null nor of datatype INT32",
    ),
    "negative unsigned": (
        _tensors(amount={"datatype": "UINT8", "data": [-1]}),
        "neither null nor of datatype UINT8",
    ),
    "flat shape": (_tensors(amount={"shape": [1, 2], "data": [1, 2]}), "shape [1, 2]"),
    "no rows": (_tensors(amount={"shape": [0], "data": []}), "n at least 1"),
    "shape and data differ": (_tensors(amount={"shape": [2]}), "shape [2] but 1 values"),
    "rows differ": (
        _tensors(amount={"shape": [2], "data": [1, 2]}),
        "holds 1 rows, but the tensors before it 2",
    ),
    "not a time": (_tensors(moment={"datatype": "BYTES", "data": ["soon"]}), "ISO 8601"),
    "far time": (_tensors(moment={"datatype": "BYTES", "data": ["0001-01-01"]}), "times from 1677-09-22"),
    "lone surrogate": (_tensors(country={"data": ["\ud800"]}), "not valid Unicode"),
    "too many reasons": (_tensors() | {"parameters": {"reasons": 4}}, "'reasons' is 4"),
    "unknown output": (_tensors() | {"outputs": [{"name": "probability"}]}, "unknown output 'probability'"),
    "id is no text": (_tensors() | {"id": 5}, "'id'"),
}
REFUSED["integer beyond a double"] = (
    _tensors(amount={"datatype": "FP32", "data": [10**400]}),
    "beyond the range",
)
REFUSED["beyond a half"] = (_tensors(amount={"datatype": "FP16", "data": [1e5]}), "infinite")
REFUSED["infinite"] = (_tensors(amount={"data": [1e400]}), "infinite")


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_inference_request_is_refused_with_its_reason(http: httpx.Client, case: str) -> None:
    body, reason = REFUSED[case]
    answer = http.post(INFER, content=body if isinstance(body, bytes) else json.dumps(body).encode())
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "at least one"),
        ([1], "row 0 is not an object"),
        ([ROW, {**ROW, "colour": 1}], "row 1: unknown feature 'colour'"),
        ([{"amount": 1}], "row 0: missing feature 'country', 'moment'"),
        ([{**ROW, "amount": "much"}], "'amount' is numeric"),
        ([{**ROW, "amount": [1]}], "'amount' is numeric"),
        ([{**ROW, "country": {}}], "'country' is a category"),
        ([{**ROW, "amount": 10**400}], "beyond the range"),
        ({"rows": [ROW], "explain": True}, "unknown key 'explain'"),
    ],
)
def test_bad_rows_are_refused_with_their_reason(http: httpx.Client, body: Any, reason: str) -> None:
    answer = http.post("/predict", json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/models/other/infer", 404),
        ("/v2/models/cards/versions/2/infer", 404),
        ("/elsewhere", 404),
        ("/v2/health/live", 405),
    ],
)
def test_wrong_paths(http: httpx.Client, path: str, status: int) -> None:
    answer = http.post(path, json=_tensors())
    assert answer.status_code == status
    assert answer.json()["error"]


def test_what_is_too_large_is_refused(http: httpx.Client) -> None:
    many = [1.0] * (MAX_ROWS + 1)
    body = _tensors(amount={"shape": [len(many)], "data": many})
    assert http.post(INFER, json=body).status_code == 413
    assert (
        http.post("/predict", content=iter([b" " * 2**20] * (MAX_BODY_BYTES // 2**20 + 1))).status_code == 413
    )
    rows = {"rows": [ROW] * 1_001, "reasons": 1}
    assert http.post("/predict", json=rows).status_code == 413
    assert http.post("/predict", json=ROW).status_code == 200


@pytest.mark.parametrize("header", ["content-encoding", "inference-header-content-length"])
def test_what_the_predictor_does_not_speak_is_refused(http: httpx.Client, header: str) -> None:
    assert http.post(INFER, json=_tensors(), headers={header: "1"}).status_code == 415


def test_metrics_begin_at_zero_and_count(http: httpx.Client) -> None:
    label = "('model', 'cards'), {}('version', '1')]"
    rows = "minorkey_rows_total[" + label.format("")
    positives = "minorkey_prediction_total[" + label.format("('predicted', '1'), ")
    before = _samples(http)
    assert (before[rows], before[positives]) == (0, 0)
    http.post("/predict", json=[ROW | {"amount": 1e6}, ROW])
    http.post("/predict", json=[])
    after = _samples(http)
    assert (after[rows], after[positives]) == (2, 1)
    assert after["minorkey_request_total[('code', '400'), ('model', 'cards'), ('version', '1')]"] == 1


def test_swap_under_load_fails_no_request(http: httpx.Client, slot: Slot, other_bundle: Bundle) -> None:
    first = slot.current
    second = Predictor(other_bundle, "cards", "2")
    by_version = {predictor.version: _score(predictor) for predictor in (first, second)}
    assert by_version["1"] != by_version["2"]

    def ask(number: int) -> tuple[int, str, float]:
        if number in (100, 200):
            slot.swap(second if number == 100 else first)
        answer = http.post("/predict", json=ROW)
        content = answer.json()
        return answer.status_code, content["version"], content["predictions"][0]["score"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(300)))
    assert {status for status, _, _ in answers} == {200}
    assert {version for _, version, _ in answers} == {"1", "2"}
    assert all(score == by_version[version] for _, version, score in answers)
