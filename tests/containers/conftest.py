"""A container engine without a daemon: podman's Docker API on a socket, as long as the tests run."""

import subprocess
import time

import pytest

#: What a start in a sandbox needs: limits that its own do not exceed, and the host's network.
LIMITS = [{"name": name, "soft": 1024, "hard": 1024} for name in ("nofile", "nproc")]


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """Address of the Docker API; also in DOCKER_HOST."""
    socket = tmp_path_factory.mktemp("engine") / "podman.sock"
    service = subprocess.Popen(
        ["podman", "--runtime=runc", "system", "service", "--time=0", f"unix://{socket}"]
    )
    until = time.monotonic() + 30
    while not socket.exists():
        assert service.poll() is None and time.monotonic() < until, "podman's API did not come up"
        time.sleep(0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{socket}")
        yield f"unix://{socket}"
    service.terminate()
    service.wait(timeout=30)
