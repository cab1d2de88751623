"""Steps in containers of this machine, through kfp's DockerRunner and any engine with Docker's API."""

import os
from pathlib import Path
from typing import Any

from kfp.local import docker_task_handler

__all__ = ["arguments", "keep_until_read"]


def arguments(containers: dict[str, Any], out: Path) -> dict[str, Any]:
    """Arguments of ``docker run`` that let a step reach the run's folder, its settings and the stores."""
    from docker.types import Mount, Ulimit

    home = os.environ["MINORKEY_HOME"]
    Path(home).mkdir(parents=True, exist_ok=True)
    mounts = [Mount(target=path, source=path, type="bind") for path in (str(out), home)]
    ulimits = [Ulimit(**limit) for limit in containers.get("ulimits", [])]
    passed = ("MINORKEY_", "MLFLOW_")
    environment = {name: value for name, value in os.environ.items() if name.startswith(passed)}
    return {
        **containers,
        "ulimits": ulimits,
        "mounts": mounts,
        "environment": {**environment, **containers.get("environment", {})},
    }


def keep_until_read() -> None:
    """Have kfp remove a step's container after its log and its status have been read.

    kfp asks the engine to remove it at its end, then reads its log and its status: a short step is gone
    by then, which counts as a success whatever its status was (404) or ends the run (500, as podman
    answers in the moment of the removal).
    """
    docker_task_handler.run_docker_container = _run


def _run(client: Any, image: str, command: list[str], volumes: dict[str, Any], **options: Any) -> int:
    image = docker_task_handler.add_latest_tag_if_not_present(image)
    if not any(image in (known.tags + known.attrs["RepoDigests"]) for known in client.images.list()):
        print(f"Pulling image {image!r}")
        client.images.pull(image)
    print(f"Found image {image!r}\n")
    container = client.containers.run(image=image, command=command, detach=True, volumes=volumes, **options)
    try:
        for piece in container.logs(stream=True):
            print(piece.decode(errors="replace"), end="")
        return int(container.wait()["StatusCode"])
    finally:
        container.remove(force=True)
