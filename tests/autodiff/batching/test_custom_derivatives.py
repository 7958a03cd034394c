"""Functions with derivatives of their own under `vmap`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, custom_jvp, custom_vjp, grad, hessian, jvp, primitive, vmap
from tests.autodiff.batching.test_vmap import W, X, Y, close, double, loop


def test_custom_rules(xp: Any) -> None:
    @custom_vjp
    def twice_as_steep(x: Any, w: Any) -> Any:
        xp = array_namespace(x, w)
        return xp.sum(x * w), lambda g: (2 * g * w, lambda: 3 * g * x)

    @custom_jvp
    def cube(x: Any) -> Any:
        return x**3, lambda t: 5 * x**2 * t

    def both(x: Any, w: Any) -> Any:
        return twice_as_steep(x, w) * array_namespace(x).sum(cube(x))

    x, w = double(X), double(W)
    for argnum in (0, 1):
        gradient = grad(both, argnum)
        close(vmap(gradient, (0, None))(x, w), loop(lambda x, g=gradient: g(x, double(W)), X))
    total = grad(lambda x, w: array_namespace(x).sum(vmap(both, (0, None))(x, w)), (0, 1))(x, w)
    close(total[0], loop(lambda x: grad(both)(x, double(W)), X))
    close(total[1], loop(lambda x: grad(both, 1)(x, double(W)), X).sum(0))
    close(vmap(hessian(both), (0, None))(x, w), loop(lambda x: hessian(both)(x, double(W)), X))
    tangents = vmap(lambda x: jvp(both, (x, w), (x, w))[1])(x)
    close(tangents, loop(lambda x: jvp(both, (x, double(W)), (x, double(W)))[1], X))
    only = vmap(lambda t: jvp(both, (x[0, ...], w), (t, w))[1])(double(Y))
    close(only, loop(lambda t: jvp(both, (x[0, ...], double(W)), (t, double(W)))[1], Y))
    outside = jvp(lambda x: vmap(both, (0, None))(x, w), (x,), (x,))[1]
    close(outside, loop(lambda x: jvp(lambda x: both(x, double(W)), (x,), (x,))[1], X))
    assert vmap(vmap(grad(both), (0, None)), (None, 0))(x, double(Y)).shape == (4, 4, 3)


def test_primitives_run_once_per_example(xp: Any) -> None:
    seen = []

    def plain(x: Any) -> Any:
        seen.append(tuple(x.shape))
        return array_namespace(x).flip(x)

    flipped = primitive(plain, lambda y, x: lambda g: (flipped(g),))
    close(vmap(flipped)(double(X)), X[:, ::-1])
    assert set(seen) == {(3,)}
    gradient = vmap(grad(lambda x, w: array_namespace(x).sum(flipped(x) * w)))(double(X), double(Y))
    close(gradient, Y[:, ::-1])
    total = grad(lambda x: array_namespace(x).sum(vmap(flipped)(x) * double(Y)))(double(X))
    close(total, Y[:, ::-1])
    close(vmap(flipped)(double(np.zeros((0, 3)))), np.zeros((0, 3)))


@pytest.mark.parametrize("size", [0, 3])
def test_primitives_over_examples_take_the_whole_batch(xp: Any, size: int) -> None:
    """Also where some of their arrays are not batched; what else differs makes one call per element."""
    seen = []

    def plain(x: Any, y: Any, factor: Any) -> Any:
        seen.append((x.shape, y.shape))
        return (x + y) * factor

    def pullback(out: Any, x: Any, y: Any, factor: Any) -> Any:
        zero = array_namespace(x).zeros_like(x)
        return lambda g: (scaled(g, zero, factor), scaled(g, zero, factor), None)

    scaled = primitive(plain, pullback, examples=[0, 1])
    rng = np.random.default_rng(4)
    x, y, factor, factors = (rng.normal(size=shape) for shape in ((size, 2, 5), (2, 5), 5, (size, 5)))
    shared = vmap(scaled, in_axes=(0, None, None))
    close(shared(*map(double, (x, y, factor))), (x + y) * factor)
    assert [tuple(map(tuple, shapes)) for shapes in seen] == [((2 * size, 5), (2 * size, 5))]

    def total(x: Any, y: Any, factor: Any) -> Any:
        return array_namespace(x).sum(scaled(x, y, factor) ** 2)

    for part in vmap(grad(total, argnums=(0, 1)), (0, None, None))(*map(double, (x, y, factor))):
        close(part, 2 * (x + y) * factor**2)
    del seen[:]
    close(vmap(scaled, in_axes=(0, None, 0))(*map(double, (x, y, factors))), (x + y) * factors[:, None, :])
    assert len(seen) == max(1, size)
