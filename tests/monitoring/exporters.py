"""What the services really export: every sample of their `/metrics`, with the names of its labels."""

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from minorkey.endpoint.token import BearerToken
from minorkey.feedback.app import create_app as feedback_app
from minorkey.retune.app import create_app as trigger_app
from minorkey.serving.app import create_app as predictor_app
from minorkey.serving.predictor import Predictor
from minorkey.serving.slot import Slot
from tests.feedback.places import NOW, intake_of
from tests.retune.surroundings import Runs, World, alert, trigger_of, webhook
from tests.serving.bundles import ROW, small_bundle

_TOKEN = "token-of-a-service"
_BEARER = {"authorization": f"Bearer {_TOKEN}"}


def exported(folder: Path) -> dict[str, set[str]]:
    """Labels by sample's name, of predictor, feedback service and trigger after one request each."""
    token = BearerToken(_TOKEN, None, key="token")
    bundle = small_bundle(folder / "bundle")
    bundle.info.reference["rates"] = {"prevalence": 0.1, "true_positive": 0.5, "true_positive_variance": 0.1}
    bundle.info.reference["design"] = {"mcc": 1.5}
    slot = Slot(Predictor(bundle, "cards", "3"))
    slot.shadow.load(Predictor(bundle, "cards", "4"), slot.current)
    predictor = TestClient(predictor_app(slot))
    predictor.post("/predict", json={"rows": [ROW]}).raise_for_status()
    intake = intake_of(f"sqlite:///{folder / 'feedback.db'}")
    intake.announce()
    feedback = TestClient(feedback_app(intake, token), headers=_BEARER)
    records = [{"id": "r1", "time": NOW, "score": 0.9, "features": {"amount": 1.5}}]
    batch = {"model": "cards", "version": "3", "threshold": 0.5, "records": records}
    feedback.post("/predictions", json=batch).raise_for_status()
    feedback.post("/predictions", json=batch | {"version": "4", "champion": "3"}).raise_for_status()
    runs = Runs(folder / "runs")
    watching = trigger_of(f"sqlite:///{folder / 'retune.db'}", runs, World())
    watching.look()
    trigger = TestClient(trigger_app(watching, token), headers=_BEARER)
    trigger.post("/webhook", json=webhook(alert())).raise_for_status()
    told: dict[str, set[str]] = {}
    for client in (predictor, feedback, trigger):
        told |= samples(client.get("/metrics").raise_for_status())
    return told


def samples(answer: httpx.Response) -> dict[str, set[str]]:
    """Labels by sample's name."""
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
