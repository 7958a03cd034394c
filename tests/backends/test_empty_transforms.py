"""Fourier transforms of arrays without elements, and sets on every library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, vmap
from tests.support import asarray, assert_equal, to_numpy

COMPLEX = ("fft", "ifft", "irfft", "hfft", "fftn", "ifftn", "irfftn")
ALONG_AXES = ("fftn", "ifftn", "rfftn", "irfftn")


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", *ALONG_AXES])
def test_empty_arrays_have_the_shape_and_dtype_of_others(xp: Any, name: str) -> None:
    transform = getattr(xp.fft, name)
    calls: list[tuple[Any, Any, dict[str, Any]]]
    if name in ALONG_AXES:
        calls = [((0, 6, 4), (2, 6, 4), {"axes": (1, 2)}), ((3, 0, 4), (3, 2, 4), {"s": (6,), "axes": (-1,)})]
    else:
        calls = [((0, 6), (2, 6), {}), ((6, 0), (6, 2), {"axis": 0}), ((3, 0, 5), (3, 2, 5), {"n": 4})]
    for empty, full, options in calls:
        x, other = (asarray(np.zeros(shape), "complex64" if name in COMPLEX else "float32") for shape in (empty, full))
        out, expected = transform(x, **options), transform(other, **options)
        assert tuple(out.shape) == tuple(
            0 if a != b else n for a, b, n in zip(empty, full, expected.shape, strict=True)
        )
        assert out.dtype == expected.dtype


@pytest.mark.parametrize("name", ["rfft", "irfft"])
def test_a_given_size_of_no_elements_is_that_of_zeros(backend: Any, name: str) -> None:
    if backend.name == "strict":
        pytest.skip("array-api-strict reads beyond the end, as NumPy's own does")
    transform = getattr(array_namespace(asarray([0.0])).fft, name)
    x = asarray(np.zeros((2, 0)), "complex64" if name == "irfft" else "float32")
    assert not np.any(to_numpy(transform(x, n=4)))


def test_derivatives_of_empty_batches(xp: Any) -> None:
    x = asarray(np.zeros((0, 6)))

    def f(x: Any) -> Any:
        space = array_namespace(x)
        return space.sum(space.abs(space.fft.rfft(x)) ** 2)

    assert tuple(grad(f)(x).shape) == (0, 6)
    assert tuple(vmap(grad(f))(x).shape) == (0, 6)


def test_unique_all(xp: Any) -> None:
    if not hasattr(xp, "unique_all"):
        pytest.skip("no sets")
    x = np.asarray([[3.0, 1.0, 3.0], [2.0, 1.0, 3.0]])
    out = xp.unique_all(asarray(x))
    _, indices, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    for got, want in zip(out, (np.asarray([1.0, 2.0, 3.0]), indices, inverse.reshape(2, 3), counts), strict=True):
        np.testing.assert_array_equal(to_numpy(got), want)
    assert_equal(out.values, [1.0, 2.0, 3.0])
