"""Holding the native thread pools (OpenMP, BLAS) of a fit to its share of the cores."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["native_threads"]


@contextmanager
def native_threads(most: int) -> Iterator[None]:
    """Within this context no native pool uses more than so many threads."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(most):
        yield
