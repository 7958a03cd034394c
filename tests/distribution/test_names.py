"""`portanet.distribution` in one process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portanet import distribution
from portanet.distribution.share import drawn, fraction, over_batch


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    distribution.set_distribution(None)


def test_one_process_alone() -> None:
    strategy = distribution.DataParallel()
    distribution.set_distribution(strategy)
    assert distribution.distribution() is strategy
    assert (strategy.rank, strategy.size, strategy.share(8), strategy.share_of(8)) == (0, 1, None, None)
    strategy.require_alike("seed", "7")
    assert fraction() == 1.0
    assert over_batch(2.0) == 2.0
    assert drawn(lambda shape: shape, (4, 3)) == (4, 3)


def test_devices() -> None:
    assert distribution.list_devices("CPU") == ["cpu"]
    assert distribution.get_device_count("gpu") == 0
    mesh = distribution.DeviceMesh((1, 1), ["batch", "model"])
    assert mesh == distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu"])
    with pytest.raises(ValueError, match=r"`shape` .* must be one whose product is the number of devices, 1"):
        distribution.DeviceMesh((2,), ["batch"])
    with pytest.raises(ValueError, match=r"`axis_names` .* must be 1 names"):
        distribution.DeviceMesh((1,), ["batch", "model"])


def test_arguments() -> None:
    with pytest.raises(ValueError, match=r"`value` of set_distribution must be a .*DataParallel or None"):
        distribution.set_distribution("mpi")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`devices` of DataParallel must be None"):
        distribution.DataParallel(devices=["cpu"])
    with pytest.raises(ValueError, match="`job_addresses` of initialize must be None"):
        distribution.initialize("127.0.0.1")
    with pytest.raises(ValueError, match="`timeout`"):
        distribution.initialize(timeout=0)
