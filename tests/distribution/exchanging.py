"""Sums of all kinds of arrays over the processes of a job."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import distribution
from portanet.distribution.job import joined
from portanet.distribution.rows import part_of
from portanet.distribution.standing import MOST

SHAPES = [(3, 700_001), (), (1,), (3,), (2, 3), (0,), (5000,), (300, 300)]
DTYPES = ["float16", "float32", "float64", "int64", "uint8"]


def exchanging() -> list[str]:
    """What is wrong."""
    distribution.initialize()
    processes = joined()
    assert processes is not None
    everyone, rank = processes.size * (processes.size + 1) // 2, processes.rank
    wrong: list[str] = []

    def expect(what: str, found: Any, wanted: Any) -> None:
        if found.dtype != wanted.dtype or found.shape != wanted.shape or not np.array_equal(found, wanted):
            wrong.append(what)

    for shape in SHAPES:
        for dtype in DTYPES:
            ones = np.ones(shape, dtype)
            for turn in (1, 2):  # with a request that is new, and with the same one again
                expect(f"{shape} {dtype}", processes.start_sum(turn * (rank + 1) * ones)(), turn * everyone * ones)
            expect(f"{shape} {dtype} transposed", processes.start_sum(((rank + 1) * ones).T)(), everyone * ones.T)
    row = np.arange(10.0)
    first, _, last = (processes.start_sum(k * (rank + 1) * row) for k in (1, 2, 3))
    expect("the last of three at once", last(), 3 * everyone * row)
    expect("the first of three at once", first(), everyone * row)
    expect("again", first(), everyone * row)
    kept = processes.start_sum((rank + 1) * row)()
    processes.start_sum(row)()
    expect("a result after others", kept, everyone * row)
    for size in range(MOST + 20):
        expect(f"row {size}", processes.start_sum(np.full(size, rank + 1))(), np.full(size, everyone))
    arrays = [np.arange(float(n)).astype("float32") for n in (7, 100_000, 1)]
    slices = processes.start_slices([(rank + 1) * x for x in arrays])()
    for x, own in zip(arrays, slices, strict=True):
        expect(f"slice of {len(x)}", own, (everyone * x)[part_of(len(x), rank, processes.size)])
    for x, whole in zip(arrays, processes.join(slices, [len(x) for x in arrays]), strict=True):
        expect(f"joined {len(x)}", whole, everyone * x)
    for _ in range(3):  # sums that nobody waits for, since an error came, write to their arrays all the same
        processes.start_sum(np.ones(2_000_000))
        processes.start_slices([np.ones(300_000)])
        expect("after sums that nobody waits for", processes.start_sum((rank + 1) * row)(), everyone * row)
    return wrong
