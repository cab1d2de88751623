"""The main program of a trial pod: ``python -m minorkey.trials.kubernetes.pod``."""

import argparse
import signal
import sys
import threading

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Serve the tasks of a Job and exit."""
    told = threading.Event()
    # Everything else is loaded later: that takes a while, and a SIGTERM may come at once.
    signal.signal(signal.SIGTERM, lambda number, frame: told.set())
    parser = argparse.ArgumentParser(description="Run the tasks of a trial pod.")
    parser.add_argument("--job", required=True, help="name of the Job")
    parser.add_argument("--tasks", type=int, default=1, help="tasks to run at most")
    parser.add_argument("--cores", type=int, default=1, help="cores to use")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds without a heartbeat")
    raise SystemExit(_serve(parser.parse_args(arguments), told))


def _serve(given: argparse.Namespace, told: threading.Event) -> int:
    from minorkey.errors import MinorkeyError
    from minorkey.settings import settings
    from minorkey.trials.kubernetes.channel import Channel
    from minorkey.trials.kubernetes.serving import Pod
    from minorkey.trials.study_root import open_root

    try:
        channel = Channel(open_root(settings().study_root))
        pod = Pod(
            channel, given.job, tasks=given.tasks, cores=given.cores, patience=given.patience, told=told
        )
        return pod.serve()
    except MinorkeyError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code


if __name__ == "__main__":
    main()
