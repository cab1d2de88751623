"""Steps in containers of this machine, through kfp's DockerRunner and any engine with Docker's API."""

import os
from collections.abc import Iterable
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
    answers in the moment of the removal). It also follows the log once the step runs, which podman may
    never answer where the step ends in that moment or says nothing for the client's timeout.
    """
    docker_task_handler.run_docker_container = _run


def _run(client: Any, image: str, command: list[str], volumes: dict[str, Any], **options: Any) -> int:
    image = docker_task_handler.add_latest_tag_if_not_present(image)
    if not any(image in (known.tags + known.attrs["RepoDigests"]) for known in client.images.list()):
        print(f"Pulling image {image!r}")
        client.images.pull(image)
    print(f"Found image {image!r}\n")
    container = client.containers.create(image=image, command=command, volumes=volumes, **options)
    try:
        output = container.attach(stream=True, demux=True)
        container.start()
        _print_lines(output)
        return int(container.wait()["StatusCode"])
    finally:
        container.remove(force=True)


def _print_lines(output: Iterable[tuple[bytes | None, bytes | None]]) -> None:
    """Print standard output and standard error line by line, so that neither splits a line of the other."""
    begun = [b"", b""]
    for pieces in output:
        for stream, piece in enumerate(pieces):
            *lines, begun[stream] = (begun[stream] + (piece or b"")).split(b"\n")
            for line in lines:
                print(line.decode(errors="replace"))
    for line in filter(None, begun):
        print(line.decode(errors="replace"))
