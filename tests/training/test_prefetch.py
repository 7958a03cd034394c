import threading
import time

import numpy as np
import pytest

import portanet
from portanet.backends import get_backend, use_backend
from portanet.training.data.prefetch import prefetch


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_batches_come_in_order(depth):
    assert list(prefetch(iter(range(20)), depth)) == list(range(20))


@pytest.mark.parametrize("depth", [1, 3])
def test_no_more_are_drawn_ahead_than_asked_for(depth):
    drawn = []

    def source():
        for i in range(100):
            drawn.append(i)
            yield i

    batches = prefetch(source(), depth)
    for i in range(10):
        assert next(batches) == i
        time.sleep(0.002)
        assert len(drawn) <= i + 1 + depth
    batches.close()
    assert len(drawn) <= 10 + depth


def test_an_error_is_raised_where_its_batch_is_asked_for():
    def source():
        yield 1
        yield 2
        raise OSError("disk")

    batches = prefetch(source(), 5)
    assert [next(batches), next(batches)] == [1, 2]
    with pytest.raises(OSError, match="disk"):
        next(batches)


def test_closing_ends_the_thread_and_closes_the_source():
    closed = []

    def source():
        try:
            while True:
                yield threading.current_thread().name
        finally:
            closed.append(1)

    before = threading.active_count()
    batches = prefetch(source(), 2)
    assert next(batches) == "portanet-prefetch"
    batches.close()
    assert closed == [1]
    assert threading.active_count() == before


def test_the_backend_in_use_is_that_of_the_caller():
    pytest.importorskip("array_api_strict")
    with use_backend("strict", "device1"):
        (result,) = prefetch((get_backend() for _ in range(1)), 1)
    assert (result.name, result.device_name) == ("strict", "device1")


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_generator_may_write_each_batch_into_the_same_array(backend, depth):
    if backend.name == "jax":
        pytest.skip("nothing can be written into its arrays")
    rows = np.arange(24, dtype="float32").reshape(8, 3)

    def batches(own):
        array = portanet.asarray(np.zeros((2, 3), "float32"))
        for i in range(0, 8, 2):
            batch = portanet.asarray(rows[i : i + 2].copy())
            if not own:
                array[...] = batch
            yield (batch, batch[:, :1]) if own else (array, array[:, :1])

    def losses(own):
        model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(1, kernel_initializer="zeros")])
        model.compile(portanet.optimizers.SGD(1e-3), "mse")
        return model.fit(batches(own), verbose=0, prefetch=depth).history["loss"]

    assert losses(own=False) == losses(own=True)


def test_batches_are_cast_in_the_thread_that_prepares_them(backend):
    x, y = (portanet.asarray(np.ones((2, n)), "int32") for n in (3, 1))
    model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(iter([(x, y)] * 3), verbose=0, prefetch=2).history["loss"]).all()
