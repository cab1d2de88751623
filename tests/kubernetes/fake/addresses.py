"""Addresses of pods: all of 127/8 is this machine, so every pod has one of its own, as on a cluster."""

import itertools
import os

__all__ = ["new_address"]

_numbers = itertools.count()


def new_address() -> str:
    """An address that no recent pod of this process has had; other processes have others.

    Two parts tell the process, the last one its pods, one after the other.
    """
    process = os.getpid() % 62_500
    return f"127.{1 + process // 250}.{1 + process % 250}.{1 + next(_numbers) % 250}"
