"""Random indices under `vmap` against NumPy, one example after another: values, writes and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, vjp, vmap
from portanet.backends import Backend
from tests.autodiff.test_rules import double
from tests.support import to_numpy

COUNT = 3


class Index:
    """A random index of an array of the given shape: its parts, of which arrays may differ between examples."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, ...], batched: bool) -> None:
        self.rng, self.batched = rng, batched
        self.arrays: list[np.ndarray] = []
        self.parts = list(self.draw(list(shape)))

    def draw(self, sizes: list[int]) -> Iterator[Any]:
        rng, ended = self.rng, False
        while sizes:
            kind = rng.choice(["array", "array", "slice", "integer", "new", "rest", "scalar", "mask"])
            if kind == "rest" and not ended:
                ended = True
                del sizes[: rng.integers(len(sizes) + 1)]
                yield Ellipsis
            elif kind == "new":
                yield None
            elif kind == "slice":
                n = sizes.pop(0)
                yield [slice(None), slice(1, None), slice(None, None, 2), slice(-2, n), slice(n - 1)][rng.integers(5)]
            elif kind == "integer":
                yield int(rng.integers(-sizes[0], sizes.pop(0)))
            elif kind == "mask" and not ended:
                yield np.arange(sizes.pop(0)) < 2
                ended = True
            elif kind in ("array", "scalar"):
                yield self.array(sizes.pop(0), [(2,), (2, 1)][rng.integers(2)] if kind == "array" else ())
            if not ended and rng.integers(6) == 0:
                return  # the remaining axes are whole

    def array(self, size: int, shape: tuple[int, ...]) -> int:
        """The number of a new array of distinct integers, among all that the index has."""
        rows = [self.rng.permutation(size)[: max(1, int(np.prod(shape)))] for _ in range(COUNT)]
        self.arrays.append(np.stack(rows).reshape(COUNT, *shape) - size * self.rng.integers(2))
        return Slot(len(self.arrays) - 1)

    def key(self, arrays: Any, mask: Any = lambda m: m) -> tuple[Any, ...]:
        """The index of one example, with its arrays."""
        return tuple(arrays[p] if type(p) is Slot else mask(p) if isinstance(p, np.ndarray) else p for p in self.parts)


class Slot(int):
    """A place for an array."""


def cases(backend: Backend, batched: bool) -> Iterator[tuple[Index, np.ndarray]]:
    rng = np.random.default_rng(1 + batched)
    for _ in range(4 if backend.name == "jax" else 120):
        shape = tuple(int(n) for n in rng.choice([3, 4], size=rng.integers(1, 4)))
        index = Index(rng, shape, batched)
        if index.arrays:
            yield index, rng.normal(size=(COUNT, *shape))


def integers(x: np.ndarray) -> Any:
    like = double(np.zeros(1))
    xp = array_namespace(like)
    return xp.asarray(x.tolist(), dtype=xp.int64 if x.dtype.kind == "i" else xp.bool, device=like.device)


@pytest.mark.parametrize("shared", [False, True], ids=["values", "shared values"])
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "same"])
def test_random_indices(backend: Backend, batched: bool, shared: bool) -> None:
    if shared and not batched:
        pytest.skip("nothing is batched")
    if backend.name != "numpy" and not batched:
        pytest.skip("other libraries place integers beside arrays in their own way, or refuse them")
    for index, x in cases(backend, batched):
        x = x[:1].repeat(COUNT, axis=0) if shared else x
        arrays = index.arrays if batched else [a[:1].repeat(COUNT, axis=0) for a in index.arrays]
        keys = [index.key([a[i] if a.ndim > 1 else int(a[i]) for a in arrays]) for i in range(COUNT)]
        expected = np.stack([x[i][keys[i]] for i in range(COUNT)])
        values = np.arange(1.0, 1.0 + expected.size).reshape(expected.shape)
        slope, written = np.zeros_like(x), x.copy()
        for i in range(COUNT):
            np.add.at(slope[i], keys[i], values[i])
            written[i][keys[i]] = values[i]
        axes = (None if shared else 0, 0, *(0 if batched else None for _ in arrays))
        given = [integers(a if batched else a[0]) for a in arrays]

        def item(x: Any, v: Any, *arrays: Any, index: Index = index) -> Any:
            return x[index.key(arrays, integers)]

        def write(x: Any, v: Any, *arrays: Any, index: Index = index) -> Any:
            out = array_namespace(x).asarray(x + 0 * array_namespace(v).sum(v), copy=True)
            out[index.key(arrays, integers)] = v
            return out

        def gradient(x: Any, v: Any, *arrays: Any, item: Any = item) -> Any:
            return vjp(lambda x: item(x, v, *arrays), x)[1](v)[0]

        first, v = double(x[0] if shared else x), double(values)
        checked = [(item, expected), (gradient, slope), (write, written)]
        for f, right in checked[: 1 if backend.name == "strict" else 3]:  # which writes at no arrays
            np.testing.assert_allclose(
                to_numpy(vmap(f, axes)(first, v, *given)), right, err_msg=f"{f.__name__}, {x.shape}: {keys[0]}"
            )


def test_an_integer_for_each_example(xp: Any) -> None:
    """Also where the library does not write at arrays of integers."""
    x, i = np.random.default_rng(3).normal(size=(2, 3, 3)), np.asarray([-1, 1])

    def f(x: Any, i: Any) -> Any:
        z = x * 1.0
        z[i, :] = x[0, :] ** 2
        z[1, i] *= 3.0
        z[i, 0] = 7.0
        return array_namespace(z).sum(z**2) + x[i, 2] ** 2

    for g in (f, grad(f)):
        expected = np.stack([g(row, int(k)) for row, k in zip(x, i, strict=True)])
        np.testing.assert_allclose(to_numpy(vmap(g)(double(x), integers(i))), expected)
