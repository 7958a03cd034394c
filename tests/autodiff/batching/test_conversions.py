"""Conversions of an example: the dtype that is asked for, and the device of the batch."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np

from portanet.autodiff import array_namespace, grad, hessian, lift, unwrap, vmap
from portanet.autodiff.boundary import plain
from portanet.backends import device_of
from tests.support import asarray, to_numpy


def test_conversions_have_the_dtype_that_is_asked_for(xp: Any) -> None:
    x = asarray([1.5, 2.5], "float64")
    for convert in (lambda xp, x: xp.asarray(x, dtype=xp.float32), lambda xp, x: xp.asarray([x, x], dtype=xp.float32)):
        assert vmap(lambda x, convert=convert: convert(array_namespace(x), x))(x).dtype == xp.float32
    assert vmap(lambda x: array_namespace(x).asarray([x, 1.0]))(x).dtype == xp.float64


def test_filled_arrays_are_on_the_device_of_the_batch(xp: Any) -> None:
    x = asarray([1.5, 2.5])
    assert device_of(vmap(lambda x: array_namespace(x).full_like(x, 2.5))(x)) == device_of(x)


def test_the_namespace_of_batched_arrays_converts_them(xp: Any) -> None:
    def convert(x: Any) -> Any:
        inside = plain(x)
        out = inside.namespace.asarray(inside, dtype=xp.float32)
        assert out.dtype == xp.float32
        assert device_of(out) == device_of(inside)
        listed = inside.namespace.asarray([inside, 1.0, 2.0], dtype=xp.float64)
        seen.append(lift(listed))
        return array_namespace(x).asarray(x, copy=True)

    seen: list[Any] = []
    vmap(lambda x: convert(x) + seen[0][0])(asarray([1.5, 2.5], "float64"))
    listed = vmap(lambda x: convert(x) * 0 + seen[1])(asarray([1.5, 2.5], "float64"))
    assert to_numpy(listed).tolist() == [[1.5, 1.0, 2.0], [2.5, 1.0, 2.0]]


def test_array_api_compat_finds_one_namespace_for_shared_and_batched_arrays(xp: Any) -> None:
    x, w = asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]], "float64"), asarray([0.5, -1.5], "float64")

    def product(a: Any, b: Any) -> Any:
        space = array_api_compat.array_namespace(a, b)
        return space.sum(space.concat([a, space.ones(1, dtype=a.dtype, device=a.device)])[:2] * space.sin(b) * b)

    for f, axes in ((product, (0, None)), (lambda a, b: product(b, a), (0, None)), (product, (None, 0))):
        args = (x, w) if axes[0] == 0 else (w, x)
        for g in (f, grad(f), grad(f, 1), hessian(f, 1)):
            each = lambda i, g=g, args=args: g(*(lift(a[i, :] if a is x else a) for a in args))
            expected = [to_numpy(unwrap(each(i))) for i in range(3)]
            np.testing.assert_allclose(to_numpy(vmap(g, axes)(*args)), expected, rtol=1e-12)
    kept = lift(w)
    np.testing.assert_allclose(to_numpy(vmap(lambda x: product(x, kept))(x)), to_numpy(vmap(product, (0, None))(x, w)))
