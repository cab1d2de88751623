"""KServe 0.20 in Standard mode over the fake Kubernetes API, as far as deployments rely on it.

Its rules were read in KServe's sources: the webhook in ``pkg/apis/serving/v1beta1``, the predictor and
ingress reconcilers in ``pkg/controller/v1beta1/inferenceservice``. What it does in which order matters: a
canary that is removed loses its Deployment and Service first, and its share of the route a moment later.
"""

from tests.deployment.kserve.fake.gateway import Gateway, Unavailable
from tests.deployment.kserve.fake.installation import FakeKServe
from tests.deployment.kserve.fake.predictors import Sabotage

__all__ = ["FakeKServe", "Gateway", "Sabotage", "Unavailable"]
