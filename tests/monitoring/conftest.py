import os
import shutil

import pytest


@pytest.fixture
def promtool() -> None:
    """Skips where promtool is missing; in CI, which installs it, that is a failure."""
    if shutil.which("promtool") is None:
        told = "promtool is missing: apt-get install prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
