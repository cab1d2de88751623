"""The browser looks at the same content as the report's own tests."""

from tests.evaluation.report.conftest import content

__all__ = ["content"]
