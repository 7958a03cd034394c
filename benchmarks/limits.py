"""What this machine reaches in products of matrices and in copies, to compare with what a workload takes."""

from __future__ import annotations

import numpy as np

from benchmarks.timing import THREADS, Median, Step

PRODUCT = (2048, 1024, 1024)
PRODUCT_FLOPS = 2.0 * 2048 * 1024 * 1024
COPIED = 2**28
"""Bytes, far more than caches hold; they are read and written."""


def product() -> Step:
    """A large product of float32 matrices."""
    rows, inner, columns = PRODUCT
    a, b = np.ones((rows, inner), dtype="float32"), np.ones((inner, columns), dtype="float32")
    return lambda: a @ b


def copy() -> Step:
    """A copy of a large array, a part on each thread."""
    from concurrent.futures import ThreadPoolExecutor

    source, target = np.ones(COPIED, dtype="uint8"), np.zeros(COPIED, dtype="uint8")
    parts = list(zip(np.array_split(target, THREADS), np.array_split(source, THREADS), strict=True))
    pool = ThreadPoolExecutor(THREADS)
    return lambda: list(pool.map(lambda part: np.copyto(*part), parts))


STEPS = {"product": product, "copy": copy}


def rates(times: dict[str, Median]) -> tuple[float, float]:
    """Multiplications and additions per second, and bytes per second, from the seconds of these two steps."""
    return PRODUCT_FLOPS / times["product"], 2 * COPIED / times["copy"]
