"""What a model and its versions are called on the cluster."""

__all__ = ["LABELS", "MANAGED_BY", "predictor_name", "runtime_name", "service_name", "workload_name"]

#: Labels of a predictor's pods: which model, version and bundle they serve.
LABELS = {
    "model": "minorkey.io/model",
    "version": "minorkey.io/version",
    "digest": "minorkey.io/digest",
}
MANAGED_BY = ("app.kubernetes.io/managed-by", "minorkey")


def service_name(model: str) -> str:
    """Name of a model's InferenceService, which has to begin with a letter."""
    return model if model[0].isalpha() else f"m-{model}"


def predictor_name(version: str) -> str:
    """Name of the predictor of a version within its InferenceService."""
    return f"v{version}"


def workload_name(service: str, predictor: str) -> str:
    """Name that KServe gives the Deployment and the Service of a predictor."""
    return f"{service}-{predictor}-predictor" if predictor else f"{service}-predictor"


def runtime_name() -> str:
    """Name of the ServingRuntime that runs bundles, one in each namespace."""
    return "minorkey"
