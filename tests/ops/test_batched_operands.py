"""Each argument alone may have values per example in `vmap`, whatever library the others are of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import ops
from portanet.autodiff import vmap
from portanet.tree import tree_leaves, tree_map
from tests.ops.cases import CASES, Case
from tests.support import asarray, to_numpy


def arrays_of(case: Case) -> int:
    return sum(isinstance(x, np.ndarray) for x in tree_leaves(case))


OTHER = {"ndim", "repeat", "shape", "size", "unique", "view"}
"""Functions whose results are numbers, have sizes that depend on values, or are computed on the host."""
NAMES = sorted(name for name, cases in CASES.items() if any(arrays_of(case) for case in cases) and name not in OTHER)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_each_argument(name: str, backend: Any) -> None:
    if backend.name not in ("numpy", "torch", "strict"):
        pytest.skip("every call would be compiled; what is tried are our namespaces")
    case = max(CASES[name][:4], key=arrays_of)
    own = tree_map(lambda x: asarray(x, str(x.dtype)) if isinstance(x, np.ndarray) else x, case)
    function = getattr(ops, name, None) or getattr(ops.image, name)
    leaves = tree_leaves(own)
    for i, leaf in enumerate(leaves):
        if not hasattr(leaf, "shape"):
            continue

        def f(x: Any, i: int = i) -> Any:
            counter = iter(range(len(leaves)))
            args, kwargs = tree_map(lambda old: x if next(counter) == i else old, own)
            return tree_leaves(function(*args, **kwargs))

        fixed = not leaf.shape or name.startswith("cholesky")  # whose matrices must be positive, or triangular
        rows = [leaf, leaf if fixed else ops.roll(leaf, 1, axis=-1)]
        expected = zip(*map(f, rows), strict=True)
        for actual, wholes in zip(vmap(f)(ops.stack(rows)), expected, strict=True):
            for row, whole in zip(to_numpy(actual), wholes, strict=True):
                np.testing.assert_allclose(row, to_numpy(whole), rtol=1e-5, atol=1e-6, err_msg=f"argument {i}")
