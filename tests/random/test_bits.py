from __future__ import annotations

import hashlib
import math
import threading
from typing import Any

import numpy as np
import pytest

from portanet.backends.numpy import random as numpy_random
from portanet.random import streams
from tests.random.drawing import KEY, draw, on_numpy
from tests.support import assert_equal, to_numpy


def wellons(x: int) -> int:
    """lowbias32 as it is published, in Python's integers."""
    x ^= x >> 16
    x = x * 0x7FEB352D % 2**32
    x ^= x >> 15
    x = x * 0x846CA68B % 2**32
    return x ^ (x >> 16)


def definition(key: int, step: int, i: int) -> int:
    """The formula in the docstring of `bits`, in Python's integers."""
    digest = hashlib.sha256(str(key).encode()).digest()
    a, b = (wellons(step % 2**32 ^ int.from_bytes(digest[k : k + 4], "little")) for k in (0, 4))
    word = wellons((wellons(i ^ a) + i + b) % 2**32)
    return word - 2**32 if word >= 2**31 else word


@pytest.mark.parametrize(("key", "step"), [(KEY, 0), (KEY, 3), (0, 2**31 - 1), (2**31 - 1, -1)])
def test_bits_are_those_of_the_definition(backend: Any, key: int, step: int) -> None:
    result = draw(streams.bits, (3, 70), step, key=key)
    expected = np.array([definition(key, step, i) for i in range(210)], dtype="int32").reshape(3, 70)
    assert_equal(result, expected, dtype="int32")


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = on_numpy(streams.bits, (100,))
    monkeypatch.setattr(numpy_random, "CHUNK", 8)
    np.testing.assert_array_equal(on_numpy(streams.bits, (100,)), expected)


def test_a_compiled_draw_is_the_same(backend: Any) -> None:
    number = backend.from_host(np.asarray(9, dtype="int32"))
    compiled = backend.compile(lambda step: streams.bits(KEY, step, (50,)))
    assert_equal(compiled(number), on_numpy(streams.bits, (50,), 9), dtype="int32")


def test_neither_order_nor_threads_change_draws() -> None:
    alone = [on_numpy(streams.bits, (1000,), step) for step in range(8)]
    result: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda step=step: result.update({step: on_numpy(streams.bits, (1000,), step)}))
        for step in reversed(range(8))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal([result[step] for step in range(8)], alone)


def test_a_word_is_not_below_itself(backend: Any) -> None:
    words = to_numpy(draw(streams.bits, (50,), 9))
    start = backend.from_host(np.asarray(streams._start(np, KEY, np.asarray([9], dtype="int32"))))
    for threshold in words[:5].tolist():
        assert_equal(streams.random_words(start, 50, threshold), words < threshold, dtype="bool")


def test_too_long_a_draw_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at most 2\*\*31 elements in one draw. Received: shape=\(65536, 65536\)"):
        on_numpy(streams.bits, (2**16, 2**16))


def test_bernoulli_is_the_same_everywhere(backend: Any) -> None:
    for p in (0.0, 2.0**-32, 0.3, 0.5, 1 - 2.0**-32, 1.0):
        mask = draw(streams.bernoulli, (300,), p=p)
        assert_equal(mask, on_numpy(streams.bernoulli, (300,), p=p), dtype="bool")


def test_bernoulli_hits_its_probability(backend: Any) -> None:
    keep = to_numpy(draw(streams.bernoulli, (100_000,), p=0.3))
    assert keep.mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 100_000))
    assert to_numpy(draw(streams.bernoulli, (10,), p=1.0)).all()
    assert not to_numpy(draw(streams.bernoulli, (10,), p=0.0)).any()


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_bernoulli_refuses_what_is_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match=r"`p` of bernoulli must be a number in \[0, 1\]. Received: p="):
        on_numpy(streams.bernoulli, (3,), p=p)
