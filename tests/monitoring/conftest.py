import os
import shutil

import pytest


@pytest.fixture
def promtool() -> None:
    """Skips where promtool is missing; in CI, which installs it, that is a failure."""
    _need("promtool", "prometheus")


@pytest.fixture
def alertmanager() -> None:
    """The same of Alertmanager and amtool."""
    for program in ("prometheus-alertmanager", "amtool"):
        _need(program, "prometheus-alertmanager")


def _need(program: str, package: str) -> None:
    if shutil.which(program) is None:
        told = f"{program} is missing: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
