"""`portanet.distribution` in one process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import portanet
from portanet import distribution
from portanet.backends import Backend, get_backend, registry
from portanet.backends.numpy.backend import NumpyBackend
from portanet.distribution.job import take_own_device
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


class Cards(NumpyBackend):
    """Arrays on one of four devices of two kinds."""

    name = "cards"

    @classmethod
    def devices(cls) -> dict[str, str]:
        return {"cuda:0": "first", "cuda:1": "second", "cuda:2": "third", "cpu": "host"}


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BACKENDS, "cards", (__name__, "Cards"))  # type: ignore[misc]
    monkeypatch.setattr(Backend, "local_number", 0)


@pytest.mark.parametrize(
    ("asked", "number", "taken"),
    [(None, 1, "cuda:1"), ("cuda", 2, "cuda:2"), (None, 4, "cuda:1"), ("cuda:0", 1, "cuda:0"), ("cpu", 1, "cpu")],
)
@pytest.mark.usefixtures("cards")
def test_processes_of_a_machine_take_different_devices(asked: str | None, number: int, taken: str) -> None:
    with portanet.use_backend("cards", asked):
        take_own_device(number)
        assert get_backend().device_name == taken
        portanet.set_backend("cards", asked)  # later in the script
        assert get_backend().device_name == taken
