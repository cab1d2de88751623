"""What the predictor does with whatever its description allows, and with what it does not."""

from typing import Any

import pytest
from schemathesis import GenerationMode

from minorkey.bundle.bundle import Bundle
from minorkey.serving.app import create_app
from minorkey.serving.openapi import predictor_description
from minorkey.serving.predictor import Predictor
from minorkey.serving.slot import Slot
from tests.endpoint.fuzzing import described_by, fuzz

MODEL, VERSION = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
BODIES = ("/predict", f"{MODEL}/infer", f"{VERSION}/infer")
LOOKS = (
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/metrics",
    *(prefix + end for prefix in (MODEL, VERSION) for end in ("", "/ready")),
)
DATATYPES = {"amount": "FP64", "moment": "FP64", "country": "BYTES"}


@pytest.fixture(scope="module")
def schema(bundle: Bundle) -> Any:
    return described_by(create_app(Slot(Predictor(bundle, "cards", "1"))))


def agree(body: Any) -> None:
    """Let an inference request hold one tensor of each feature, all of one row, and whole numbers no point.

    A schema can say none of that: to it 3.0 is an integer too.
    """
    if isinstance(body, dict) and "inputs" in body:
        given = {tensor["name"]: tensor for tensor in body["inputs"]}
        body["inputs"] = [
            given.get(name, {"name": name, "datatype": datatype, "data": [None]})
            for name, datatype in DATATYPES.items()
        ]
        for tensor in body["inputs"]:
            whole = "INT" in tensor["datatype"]
            data = [int(value) if whole and type(value) is float else value for value in tensor["data"][:1]]
            tensor |= {"shape": [1], "data": data}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", BODIES)
def test_every_answer_to_a_body_is_one_that_the_description_names(
    schema: Any, path: str, mode: GenerationMode
) -> None:
    fuzz(schema[path]["POST"], mode, agree)


@pytest.mark.parametrize("path", LOOKS)
def test_what_is_told_is_what_the_description_says(schema: Any, path: str) -> None:
    fuzz(schema[path]["GET"], GenerationMode.POSITIVE)


def test_what_is_described_is_what_there_is(bundle: Bundle) -> None:
    predictor = Predictor(bundle, "cards", "1")
    served = {route.path for route in create_app(Slot(predictor)).routes}
    assert served - {"/openapi.json"} == set(predictor_description(predictor)["paths"]) == {*BODIES, *LOOKS}


def test_the_description_follows_a_swap(bundle: Bundle, other_bundle: Bundle) -> None:
    from starlette.testclient import TestClient

    slot = Slot(Predictor(bundle, "cards", "1"))
    with TestClient(create_app(slot)) as client:
        slot.swap(Predictor(other_bundle, "cards", "2"))
        paths = client.get("/openapi.json").json()["paths"]
    (named,) = [one for one in paths[VERSION]["get"]["parameters"] if one["name"] == "version"]
    assert named["schema"]["enum"] == ["2"]
