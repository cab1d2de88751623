"""Target ``kserve``: a model's predictors as an InferenceService in Standard mode, version after version.

`manifests` says what the objects look like, `service` what a rollout changes in them, `rollout` in which
order; `fleet` waits for pods, `route` for the gateway; `comparison` judges by `evidence` and `verdict`.
"""

from minorkey.deployment.kserve.target import KServeTarget

__all__ = ["KServeTarget"]
