"""Elementwise functions of many arrays in one launch on CuPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from portanet import optimizers
from portanet.autodiff import array_namespace
from portanet.backends import map_each, recording
from portanet.optimizers.base import cond
from tests.backends.cupy_standin import in_place_of_cupy, needs_compiler

pytestmark = needs_compiler


@pytest.fixture
def cupy() -> Iterator[Any]:
    with in_place_of_cupy() as stand_in:
        stand_in.ElementwiseKernel.launches = 0
        yield stand_in


def decay(p: Any, g: Any) -> tuple[Any, ...]:
    p *= 0.5
    p -= g
    return p, array_namespace(g).exp(g)


def compare(cupy: Any, function: Callable[..., Any], shapes: list[Any], launches: int, dtype: str = "float32") -> None:
    generator = np.random.default_rng(0)
    hosts = [[generator.standard_normal(shape).astype(dtype) for _ in range(2)] for shape in shapes]
    calls = [tuple(map(cupy.array, each)) for each in hosts]
    cupy.ElementwiseKernel.launches = 0
    results = map_each(function, calls)
    assert cupy.ElementwiseKernel.launches == launches
    for ours, args, host in zip(results, calls, hosts, strict=True):
        assert ours[0] is args[0]
        for x, expected in zip((*ours, *args), (*function(*host), *host), strict=True):
            assert x.dtype == expected.dtype
            np.testing.assert_allclose(x.get(), expected, rtol=4e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize(
    ("shapes", "launches"), [([(3,), (2, 0), (70, 60), (), (2048,), (2049,)], 1), ([(2,)] * 200, 2), ([(0,), (0,)], 0)]
)
def test_arrays_of_all_sizes(cupy: Any, shapes: list[Any], launches: int) -> None:
    compare(cupy, decay, shapes, launches)


def test_half_precision_too(cupy: Any) -> None:
    compare(cupy, decay, [(3,), (2, 0), (70, 60), ()], 1, "float16")


def test_functions_that_ask_for_shapes_are_a_launch_each(cupy: Any) -> None:
    compare(cupy, lambda p, g: (p, g * p.shape[0]), [(3,), (4,)], 2)


def test_views_and_shared_arrays(cupy: Any) -> None:
    host = np.arange(12.0, dtype="float32").reshape(3, 4)
    views = [cupy.asarray(host).T, cupy.asarray(host)[:, ::2]]
    ps = [cupy.zeros(view.shape, dtype="float32") for view in views]
    results = map_each(decay, list(zip(ps, views, strict=True)))
    for (p, _), expected in zip(results, (host.T, host[:, ::2]), strict=True):
        np.testing.assert_array_equal(p.get(), -expected)
    columns = cupy.array(host).T  # one that is written is a view: it gets a launch of its own
    cupy.ElementwiseKernel.launches = 0
    results = map_each(decay, [(columns, cupy.array(host.T)), *zip(ps, views, strict=True)])
    assert cupy.ElementwiseKernel.launches == 2
    np.testing.assert_array_equal(results[0][0].get(), -0.5 * host.T)
    np.testing.assert_array_equal(results[1][0].get(), -1.5 * host.T)
    x, y = cupy.array(host), cupy.array(host)
    map_each(decay, [(x, x), (y, cupy.asarray(host))])  # the same array twice in one call
    np.testing.assert_array_equal(x.get(), 0 * host)
    np.testing.assert_array_equal(y.get(), -0.5 * host)


def test_weight_decay_is_a_part_of_the_launch(cupy: Any) -> None:
    hosts = {"w": np.ones((3, 4), "float32"), "b": np.ones(4, "float32"), "u": np.ones((2, 2), "float32")}
    results = []
    for place in (cupy.array, np.array):
        optimizer = optimizers.AdamW(0.1, weight_decay=0.5, amsgrad=True, use_ema=True)
        optimizer.exclude_from_weight_decay(var_names=["b"])
        params = {path: place(x) for path, x in hosts.items()}
        state = optimizer.init(params)
        for scale in (0.5, -1.0):
            cupy.ElementwiseKernel.launches = 0
            grads = {path: place(x * np.float32(scale)) for path, x in hosts.items()}
            params, state = optimizer.update(params, grads, state)
        results.append((params, state, cupy.ElementwiseKernel.launches))
    (ours, our_state, launches), (theirs, their_state, _) = results
    assert launches == 3, "one for the correction, one for what decays, one for what does not"
    for path in hosts:
        np.testing.assert_allclose(ours[path].get(), theirs[path], rtol=1e-6)
        for slot in ("m", "v", "v_max", "average"):
            np.testing.assert_allclose(our_state[slot][path].get(), their_state[slot][path], rtol=1e-6)


def test_a_recorded_condition_is_a_launch_for_the_copies_and_one_for_the_choice(
    cupy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each dtype; what is kept where it was needs no copy, and an array that comes twice is chosen twice."""
    monkeypatch.setattr(recording.state, "recording", True, raising=False)
    for truth in (True, False):
        shared, host = cupy.zeros(2, dtype="float32"), np.arange(6.0).reshape(2, 3)
        params = {name: cupy.array(host.astype("float32") + k) for k, name in enumerate("abc")}
        state = {"n": cupy.array(np.asarray(7, dtype="int32")), "flag": 1}

        def advance(params: Any, state: Any, first: Any, second: Any) -> Any:
            for name, p in params.items():
                p *= 2.0
                params[name] = p
            state["n"] = state["n"] + 1
            first += 1.0
            return params, state, first, second

        def keep(*operands: Any) -> Any:
            return operands

        cupy.ElementwiseKernel.launches = 0
        condition = cupy.asarray(np.asarray(truth))
        chosen, after, first, second = cond(condition, advance, keep, params, state, shared, shared)
        assert cupy.ElementwiseKernel.launches == 2 + 2 + 1
        for k, name in enumerate("abc"):
            assert chosen[name] is params[name]
            np.testing.assert_array_equal(chosen[name].get(), (host + k) * (2 if truth else 1))
        assert after["n"] is state["n"]
        assert (int(after["n"].get()), after["flag"]) == (8 if truth else 7, 1)
        np.testing.assert_array_equal([first.get()[0], second.get()[0]], [truth, 0])
