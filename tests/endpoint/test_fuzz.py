"""What the services do with whatever their descriptions allow, and with what they do not."""

import itertools

import pytest
from schemathesis import GenerationMode
from starlette.applications import Starlette

from minorkey.endpoint.limits import Admission
from minorkey.endpoint.token import BearerToken
from minorkey.feedback.app import create_app as feedback_app
from minorkey.feedback.openapi import FEEDBACK
from minorkey.retune.app import create_app as trigger_app
from minorkey.retune.openapi import TRIGGER
from tests.endpoint.fuzzing import described_by, fuzz
from tests.feedback.places import intake_of
from tests.retune.surroundings import Runs, World, trigger_of

TOKEN = "token-of-a-service"
HEADERS = {"authorization": f"Bearer {TOKEN}"}


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
    return {name: described_by(make(tmp_path_factory.mktemp(name))) for name, make in SERVICES.items()}


def name_what_is_known(body) -> None:
    """Let a body speak of the model that there is: a description cannot know its name.

    Nor can it say that two fields differ, as a version in shadow does from the champion.
    """
    if isinstance(body, dict) and "model" in body:
        body["model"] = "cards"
    if isinstance(body, dict) and "champion" in body and body["champion"] == body.get("version"):
        body["champion"] += "0"
    for alert in body["alerts"] if isinstance(body, dict) and "alerts" in body else ():
        alert["labels"] |= {"model": "cards", "kind": "performance_down"}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS, ids=lambda part: str(part))
def test_every_answer_is_one_that_the_description_names(schemas, name, method, path, mode) -> None:
    if mode is GenerationMode.NEGATIVE and "requestBody" not in DESCRIBED[name]["paths"][path][method]:
        pytest.skip("without a body nothing is wrong but the path")
    fuzz(schemas[name][path][method.upper()], mode, name_what_is_known, HEADERS)


def test_what_is_described_is_what_there_is(tmp_path) -> None:
    for name, make in SERVICES.items():
        served = {route.path.replace(":path", "") for route in make(tmp_path / name).routes}
        assert served - {"/openapi.json", "/health/live"} == set(DESCRIBED[name]["paths"])
