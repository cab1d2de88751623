"""Run the benchmarks one after the other, each in a process of its own.

    python -m benchmarks [--long] [--only NAME ...]

The short ones take about an hour of two cores; the long ones about a day.
"""

import argparse
import subprocess
import sys

#: Name, arguments, and about how many minutes of two cores it takes.
SHORT = (
    ("engine", (), 1),
    ("overhead", (), 5),
    ("serving", (), 2),
    ("thresholds", ("--quick",), 5),
    ("intervals", ("--quick",), 2),
    ("gate", ("--quick",), 2),
    ("leakage", ("--seeds", "20"), 3),
    ("rarity", ("--seeds", "2", "--search-seconds", "60"), 10),
    ("fraud_protocol", ("--budget", "120"), 15),
    ("fraud_protocol", ("--budget", "120", "--derived"), 20),
    ("repeated_cv", ("--repeats", "1", "--search-seconds", "10"), 15),
)
LONG = (
    ("thresholds", (), 60),
    ("intervals", (), 30),
    ("gate", (), 30),
    ("leakage", ("--seeds", "100"), 15),
    ("rarity", ("--seeds", "5", "--search-seconds", "120"), 40),
    ("fraud_protocol", ("--budget", "600"), 55),
    ("fraud_protocol", ("--budget", "600", "--derived"), 60),
    ("kubernetes", (), 20),
    ("repeated_cv", ("--repeats", "10", "--search-seconds", "30"), 900),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--long", action="store_true", help="the figures of the README in full")
    parser.add_argument("--only", nargs="+", default=[], help="names of benchmarks")
    asked = parser.parse_args()
    failed = []
    for name, arguments, minutes in LONG if asked.long else SHORT:
        if asked.only and name not in asked.only:
            continue
        print(f"\n=== {name} {' '.join(arguments)} (about {minutes} min)", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], check=False).returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
