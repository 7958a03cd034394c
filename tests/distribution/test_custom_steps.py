"""A step of a user's own, of which each process computes its part, is that of one process."""

from __future__ import annotations

import pathlib

import pytest

import portanet
from portanet import distribution
from tests.distribution import custom_steps, jobs
from tests.distribution.test_runs import differences


@pytest.mark.parametrize(("count", "library"), [(3, "numpy"), (2, "torch")])
def test_the_run_is_that_of_one_process(tmp_path: pathlib.Path, count: int, library: str) -> None:
    reason = portanet.backends.registry.backend_class(library).unavailable()
    if reason is not None:
        pytest.skip(reason)
    alone = custom_steps.custom_steps()
    results = jobs.run(count, "custom_steps", tmp_path, library)
    assert all(result == results[0] for result in results)  # bit for bit
    for result in results:
        by_hand, own_sums = result.pop("refused")
        assert "by gradients which do not come from value_and_gradients" in by_hand
        assert "metrics that have an update_state of their own" in own_sums
        for name, values in result.items():
            found = differences(alone[name], values, name)
            worst = max(found, key=lambda path: found[path])
            assert found[worst] < 1e-5 * (100 if "/weights" in worst else 1), (worst, found[worst])


def test_argument() -> None:
    with pytest.raises(ValueError, match="`custom_steps` of DataParallel must be"):
        distribution.DataParallel(custom_steps="all")
