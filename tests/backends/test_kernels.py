"""Faster kernels against the versions in the standard, which are their definitions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import portanet
from portanet.autodiff import array_namespace, lift, unwrap
from portanet.backends import Backend, backend_class, kernel
from tests.support import assert_close


@given(
    index=st.lists(st.integers(0, 6), max_size=40),
    columns=st.integers(0, 5),
    seed=st.integers(0, 1000),
)
def test_index_add(backend: Backend, index: list[int], columns: int, seed: int) -> None:
    rows = np.random.default_rng(seed).standard_normal((len(index), columns))
    expected = np.zeros((7, columns))
    for k, place in enumerate(index):
        expected[place] += rows[k]
    x = lift(portanet.asarray(rows, dtype="float64"))
    places = portanet.asarray(np.asarray(index, dtype="int64"))
    # The kernel where the library has one (all but array-api-strict), else the definition.
    summed = array_namespace(x).index_add(x, places, 7)
    assert_close(unwrap(summed), expected, dtype="float64")


def test_which_libraries_have_kernels(backend: Backend) -> None:
    found = kernel("index_add", portanet.asarray([1.0]))
    assert (found is None) == (backend.name == "strict")


def test_unknown_kernels_and_libraries(backend: Backend) -> None:
    assert kernel("no such op", portanet.asarray([1.0])) is None
    assert kernel("index_add", [1.0]) is None
    assert backend_class("strict").kernels == {}
