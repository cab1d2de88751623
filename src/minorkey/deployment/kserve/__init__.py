"""Target ``kserve``: a model's predictors as an InferenceService in Standard mode, version after version.

`manifests` says what the objects look like, `service` what a rollout changes in them, `rollout` in which
order; `fleet` waits for pods, `evidence` and `verdict` compare two versions.
"""

from minorkey.deployment.kserve.target import KServeTarget

__all__ = ["KServeTarget"]
