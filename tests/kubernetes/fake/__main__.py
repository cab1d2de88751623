"""A fake cluster as a process of its own: prints the path of its kubeconfig, ends on SIGTERM or Ctrl-C.

::

    python -m tests.kubernetes.fake --volume study=/tmp/study --run-pod benchmarks.pods:play
"""

import argparse
import importlib
import signal
import threading

from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.scheduler import Node


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volume", action="append", default=[], help="CLAIM=FOLDER, in every namespace")
    parser.add_argument("--run-pod", default="", help="MODULE:FUNCTION that plays every pod")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs of the one node")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--fault", action="append", default=[], help="FAULT=PROBABILITY of every call")
    parser.add_argument("--tls", action="store_true", help="speak https, as kubectl wants it")
    asked = parser.parse_args()
    module, _, function = asked.run_pod.partition(":")
    cluster = FakeCluster(
        volumes=dict(volume.split("=", 1) for volume in asked.volume),
        nodes=[Node(gpus=asked.gpus)],
        run_pod=getattr(importlib.import_module(module), function) if module else None,
        seed=asked.seed,
        tls=asked.tls,
    )
    for fault in asked.fault:
        name, probability = fault.split("=")
        cluster.faults.chance(name, float(probability), retry_after=0)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with cluster:
        print(cluster.kubeconfig, flush=True)
        over.wait()


if __name__ == "__main__":
    main()
