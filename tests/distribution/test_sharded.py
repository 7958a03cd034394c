"""Each process keeps and updates its slice of the weights' moments; the run is that in which each keeps all."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import distribution
from tests.distribution import jobs, sharded


def near(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(near(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(near, a, b))
    return bool(np.allclose(a, b, rtol=1e-4, atol=1e-5))


@pytest.mark.parametrize(("count", "library"), [(2, "numpy"), (3, "torch")])
def test_the_run_is_the_same(tmp_path: pathlib.Path, count: int, library: str) -> None:
    reason = portanet.backends.registry.backend_class(library).unavailable()
    if reason is not None:
        pytest.skip(reason)
    results = jobs.run(count, "sharded", tmp_path, library)
    for result in results:
        for name in sharded.OPTIMIZERS | sharded.CLIPPED:
            whole, slices = result[name]
            assert slices == results[0][name][1], name  # bit for bit
            if count == 2 and name in sharded.OPTIMIZERS:  # of two numbers there is one order
                assert slices == whole, name
            assert near(slices, whole), name
        whole, slices = result["bytes"]
        assert whole == 2 * 4 * (6 * 1024 + 1024 + 1024 * 3 + 3)
        assert abs(slices - whole / count) <= 2 * 4 * 4  # an element of each weight
        for name, message in zip(sharded.REFUSED, result["refused"], strict=True):
            assert "`shard_optimizer` of DataParallel must be False with an optimizer that" in message
            assert f"optimizer '{name}'" in message
    assert sum(result["bytes"][1] for result in results) == whole


def test_one_process_alone() -> None:
    assert distribution.DataParallel(shard_optimizer=True).slices is None
    with pytest.raises(ValueError, match="`shard_optimizer` of DataParallel must be"):
        distribution.DataParallel(shard_optimizer="moments")  # type: ignore[arg-type]
