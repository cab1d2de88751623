"""The custom resources that KServe and the Gateway API define."""

__all__ = ["GATEWAY_API", "KSERVE"]


def _definition(group: str, kind: str, plural: str, version: str) -> dict:
    return {
        "metadata": {"name": f"{plural}.{group}", "annotations": {}},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {
                                        "canary": {"type": "array"},
                                        "predictor": {"type": "object"},
                                    },
                                }
                            },
                        }
                    },
                }
            ],
        },
    }


KSERVE = (
    _definition("serving.kserve.io", "InferenceService", "inferenceservices", "v1beta1"),
    _definition("serving.kserve.io", "ServingRuntime", "servingruntimes", "v1alpha1"),
)
GATEWAY_API = (
    _definition("gateway.networking.k8s.io", "HTTPRoute", "httproutes", "v1"),
    _definition("gateway.networking.k8s.io", "Gateway", "gateways", "v1"),
)
