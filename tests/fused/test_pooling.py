"""Pooling ops: the convention at ties, padding, adjoints and second derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import portanet
from portanet.autodiff import array_namespace, check_grads, grad, vjp
from portanet.backends import Backend, use_backend
from portanet.fused.pooling import adaptive_pool, average_pool, global_max_pool, l2_pool, max_places, max_pool, unpool
from portanet.fused.windows import window
from tests.support import assert_close, assert_equal, to_numpy


def image(rows: Any) -> Any:
    return portanet.asarray(np.asarray(rows, dtype="float32")[None, :, :, None])


def test_max_pool_of_sixteen_numbers(backend: Backend) -> None:
    x = image(np.arange(16.0).reshape(4, 4))
    assert_equal(max_pool(x, window=window((4, 4), (2, 2), 2)), np.reshape([5.0, 7.0, 13.0, 15.0], (1, 2, 2, 1)))


def test_at_ties_the_first_place_gets_the_derivative(backend: Backend) -> None:
    x = image([[1.0, 2.0, 3.0, 3.0], [2.0, 2.0, 3.0, 3.0]])
    slid = window((2, 4), (2, 2), 2)
    gx = vjp(lambda x: max_pool(x, window=slid), x)[1](image([[10.0, 20.0]]))[0]
    assert_equal(gx, np.reshape([[0.0, 10.0, 20.0, 0.0], [0.0, 0.0, 0.0, 0.0]], (1, 2, 4, 1)))
    assert_equal(max_places(x, slid), np.reshape(np.asarray([1, 0], dtype="int32"), (1, 1, 2, 1)))
    whole = grad(lambda x: array_namespace(x).sum(global_max_pool(x)))(x)
    assert_equal(whole, np.reshape([[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]], (1, 2, 4, 1)))


def test_where_windows_overlap_derivatives_add_up(backend: Backend) -> None:
    x = image([[1.0, 5.0, 2.0, 7.0]])
    slid = window((1, 4), (1, 2), 1)
    gx = vjp(lambda x: max_pool(x, window=slid), x)[1](image([[1.0, 10.0, 100.0]]))[0]
    assert_equal(gx, np.reshape([0.0, 11.0, 0.0, 100.0], (1, 1, 4, 1)))


def test_padding_is_never_the_maximum_and_no_part_of_the_mean(backend: Backend) -> None:
    x = image(-np.ones((3, 3)))
    slid = window((3, 3), (2, 2), 2, "same")
    for y in (max_pool(x, window=slid), average_pool(x, slid)):
        assert_close(y, -np.ones((1, 2, 2, 1)))


def test_the_norm_has_a_derivative_at_zero(backend: Backend) -> None:
    slid = window((4,), (2,), 2)
    x = portanet.asarray(np.reshape([3.0, 4.0, 0.0, 0.0], (1, 4, 1)))
    gx = grad(lambda x: array_namespace(x).sum(l2_pool(x, slid)))(x)
    assert_close(gx, np.reshape([0.6, 0.8, 0.0, 0.0], (1, 4, 1)))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, ...]:
    rank = draw(st.integers(1, 3))
    size = draw(st.tuples(*[st.integers(1, 3)] * rank))
    strides, dilation = draw(st.tuples(*[st.integers(1, 3)] * rank)), draw(st.tuples(*[st.integers(1, 2)] * rank))
    padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in size)
    space = tuple((k - 1) * d + draw(st.integers(1, 4)) for k, d in zip(size, dilation, strict=True))
    return (draw(st.integers(1, 3)), *space, draw(st.integers(1, 2))), window(space, size, strides, padding, dilation)


@settings(max_examples=12)
@given(case=cases(), seed=st.integers(0, 99))
def test_against_the_definition(backend: Backend, case: tuple[Any, ...], seed: int) -> None:
    shape, slid = case
    generator = np.random.default_rng(seed)
    host = generator.integers(-3, 4, shape).astype("float32")  # with ties
    x = portanet.asarray(host)
    padded = np.pad(host, ((0, 0), *slid.padding, (0, 0)), constant_values=np.nan)
    count = slid.positions(shape[1:-1])
    maxima, means, places = (np.zeros((shape[0], *count, shape[-1])) for _ in range(3))
    slopes = np.zeros(padded.shape)
    g = generator.standard_normal(maxima.shape).astype("float32")
    for q in np.ndindex(*count):
        key = tuple(
            slice(a * s, a * s + (k - 1) * d + 1, d)
            for a, s, k, d in zip(q, slid.strides, slid.size, slid.dilation, strict=True)
        )
        seen = padded[(slice(None), *key)].reshape(shape[0], -1, shape[-1])
        maxima[(slice(None), *q)] = np.nanmax(seen, axis=1)
        means[(slice(None), *q)] = np.nanmean(seen, axis=1)
        first = np.nanargmax(seen, axis=1)
        places[(slice(None), *q)] = first
        for n, c in np.ndindex(shape[0], shape[-1]):
            inside = np.unravel_index(first[n, c], slid.size)
            place = tuple(k.start + i * d for k, i, d in zip(key, inside, slid.dilation, strict=True))
            slopes[(n, *place, c)] += g[(n, *q, c)]
    y, pull = vjp(lambda x: max_pool(x, window=slid), x)
    assert_equal(y, maxima.astype("float32"))
    assert_close(average_pool(x, slid), means, rtol=1e-5, atol=1e-6)
    assert_equal(max_places(x, slid), places.astype("int32"))
    inner = tuple(slice(a, a + n) for (a, _), n in zip(slid.padding, shape[1:-1], strict=True))
    back = pull(portanet.asarray(g))[0]
    assert_close(back, slopes[(slice(None), *inner)].astype("float32"), rtol=1e-5, atol=1e-5)
    again = unpool(portanet.asarray(g), max_places(x, slid), slid, shape[1:-1])
    assert_close(again, to_numpy(back), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["max", "average", "l2", "unpool", "adaptive mean", "adaptive max", "global"])
def test_derivatives_of_the_second_order(backend: Backend, name: str) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        x = portanet.asarray(np.random.default_rng(0).permutation(40).reshape(1, 5, 4, 2) / 10 + 1)
        slid = window((5, 4), (3, 2), (2, 1), ((1, 0), (0, 1)))
        places = max_places(x, slid)
        functions = {
            "max": lambda x: max_pool(x, window=slid),
            "average": lambda x: average_pool(x, slid),
            "l2": lambda x: l2_pool(x, slid),
            "unpool": lambda x: unpool(max_pool(x, window=slid), places, slid, (5, 4)),
            "adaptive mean": lambda x: adaptive_pool(x, (3, 2), "mean"),
            "adaptive max": lambda x: adaptive_pool(x, (3, 2), "max"),
            "global": global_max_pool,
        }

        def smooth(x: Any) -> Any:
            y = functions[name](x)
            xp = array_namespace(y)
            return xp.sum(xp.tanh(y) * y)

        check_grads(smooth, (x,), order=2)
