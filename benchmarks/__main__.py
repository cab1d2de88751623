"""Run the benchmarks one after the other, each in a process of its own.

    python -m benchmarks [--long] [--only NAME ...]

The short ones take about two hours of two cores, half of it for the repeated cross-validation; the
long ones about eight hours. --only picks some by name. What has a long form too leaves the results of its
short form in benchmarks/results/short/, beside the figures that the README quotes.
"""

import argparse
import os
import subprocess
import sys

from benchmarks.recording import FOLDER_VARIABLE, RESULTS

#: Name, arguments, and about how many minutes of two cores it takes.
SHORT = (
    ("engine", (), 2),
    ("overhead", (), 5),
    ("serving", (), 2),
    ("trigger", (), 8),
    ("counters", (), 3),
    ("shadow", (), 3),
    ("loop", ("--seeds", "1"), 7),
    ("thresholds", ("--quick",), 5),
    ("bag", ("--seeds", "3"), 2),
    ("intervals", ("--quick",), 2),
    ("gate", ("--quick",), 2),
    ("leakage", ("--seeds", "20"), 3),
    ("null_rates", ("--quick",), 2),
    ("label_free", ("--quick",), 1),
    ("detection", ("--quick",), 2),
    ("git_pushes", ("--pushes", "40", "--models", "8"), 2),
    ("rarity", ("--seeds", "2", "--search-seconds", "45"), 10),
    ("kubernetes", ("--trials", "100", "--faults", "200"), 5),
    ("kserve_rollouts", ("--rollouts", "20", "--requests", "10000"), 3),
    ("fraud_protocol", ("--budget", "60"), 10),
    ("repeated_cv", ("--repeats", "3"), 60),
)
LONG = (
    ("thresholds", (), 15),
    ("bag", (), 5),
    ("intervals", (), 30),
    ("gate", (), 30),
    ("leakage", ("--seeds", "100"), 15),
    ("null_rates", (), 8),
    ("label_free", (), 4),
    ("detection", (), 8),
    ("git_pushes", (), 9),
    ("rarity", ("--seeds", "5", "--search-seconds", "45"), 30),
    ("kubernetes", (), 20),
    ("kserve_rollouts", (), 20),
    ("loop", ("--seeds", "3"), 20),
    ("fraud_protocol", ("--budget", "600"), 55),
    ("fraud_protocol", ("--budget", "600", "--derived"), 60),
    ("repeated_cv", ("--repeats", "10"), 200),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--long", action="store_true", help="the figures of the README in full")
    parser.add_argument("--only", nargs="+", default=[], help="names of benchmarks")
    asked = parser.parse_args()
    failed = []
    in_long = set() if asked.long else {name for name, _, _ in LONG}
    for name, arguments, minutes in LONG if asked.long else SHORT:
        if asked.only and name not in asked.only:
            continue
        print(f"\n=== {name} {' '.join(arguments)} (about {minutes} min)", flush=True)
        folder = RESULTS / "short" if name in in_long else RESULTS
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        if subprocess.run(command, check=False, env={**os.environ, FOLDER_VARIABLE: str(folder)}).returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
