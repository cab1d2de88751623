"""What the services do with whatever their descriptions allow, and with what they do not."""

import itertools

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from minorkey.endpoint.limits import Admission
from minorkey.endpoint.token import BearerToken
from minorkey.feedback.app import create_app as feedback_app
from minorkey.feedback.openapi import FEEDBACK
from minorkey.retune.app import create_app as trigger_app
from minorkey.retune.openapi import TRIGGER
from tests.feedback.places import intake_of
from tests.retune.surroundings import Runs, World, trigger_of

TOKEN = "token-of-a-service"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
FUZZ = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CHECKS = [
    content_type_conformance,
    ignored_auth,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
]


def unhurried() -> Admission:
    """Lets everything in, however fast it comes: overload is a test of its own."""
    return Admission(at_once=64, a_second=1e9, burst=10**9, clock=itertools.count().__next__)


def feedback(folder) -> Starlette:
    return feedback_app(
        intake_of(f"sqlite:///{folder / 'feedback.db'}"), BearerToken(TOKEN, None, key="token"), unhurried()
    )


def trigger(folder) -> Starlette:
    made = trigger_of(f"sqlite:///{folder / 'retune.db'}", Runs(folder / "runs"), World())
    return trigger_app(made, BearerToken(TOKEN, None, key="token"), unhurried())


SERVICES = {"feedback": feedback, "trigger": trigger}
DESCRIBED = {"feedback": FEEDBACK, "trigger": TRIGGER}
OPERATIONS = [
    (name, method, path)
    for name, described in DESCRIBED.items()
    for path, operations in described["paths"].items()
    for method in operations
]


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    """Each service with its description, as it is served."""
    return {
        name: schemathesis.openapi.from_asgi("/openapi.json", make(tmp_path_factory.mktemp(name)))
        for name, make in SERVICES.items()
    }


def name_what_is_known(body) -> None:
    """Let a body speak of the model that there is: a description cannot know its name."""
    if isinstance(body, dict) and "model" in body:
        body["model"] = "cards"
    for alert in body["alerts"] if isinstance(body, dict) and "alerts" in body else ():
        alert["labels"] |= {"model": "cards", "kind": "performance_down"}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS, ids=lambda part: str(part))
def test_every_answer_is_one_that_the_description_names(schemas, name, method, path, mode) -> None:
    operation = schemas[name][path][method.upper()]

    @FUZZ
    @given(operation.as_strategy(generation_mode=mode))
    def answered(case) -> None:
        if mode is GenerationMode.POSITIVE:
            name_what_is_known(case.body)
        response = case.call(headers=HEADERS)
        assert response.status_code < 500 or response.status_code == 503
        case.validate_response(response, checks=CHECKS, headers=HEADERS)

    if mode is GenerationMode.NEGATIVE and "requestBody" not in DESCRIBED[name]["paths"][path][method]:
        pytest.skip("without a body nothing is wrong but the path")
    answered()


def test_what_is_described_is_what_there_is(tmp_path) -> None:
    for name, make in SERVICES.items():
        served = {route.path.replace(":path", "") for route in make(tmp_path / name).routes}
        assert served - {"/openapi.json", "/health/live"} == set(DESCRIBED[name]["paths"])
