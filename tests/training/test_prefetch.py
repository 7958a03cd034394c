import threading
import time

import pytest

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
