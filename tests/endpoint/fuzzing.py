"""A service is given what its description allows, and what it does not."""

from collections.abc import Callable
from typing import Any

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

FUZZ = settings(
    max_examples=60,
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


def described_by(app: Starlette) -> Any:
    """The service with its description, as it is served."""
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def fuzz(
    operation: Any,
    mode: GenerationMode,
    mend: Callable[[Any], None] = lambda body: None,
    headers: dict[str, str] | None = None,
) -> None:
    """Send many requests; no answer is one that the description does not name, or 5xx but 503.

    Args:
        operation: of a service that describes itself.
        mode: requests as they are described, or broken ones.
        mend: makes good in a body what no schema can say.
        headers: of every request.
    """

    @FUZZ
    @given(operation.as_strategy(generation_mode=mode))
    def answered(case) -> None:
        if mode is GenerationMode.POSITIVE:
            mend(case.body)
        response = case.call(headers=headers)
        assert response.status_code < 500 or response.status_code == 503
        case.validate_response(response, checks=CHECKS, headers=headers)

    answered()
