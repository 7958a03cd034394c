"""docs/autodiff-conventions.md is true: every row is computed, and its list is that of the rule tables.

`python -m tests.autodiff.test_conventions` prints the list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hessian, jvp
from portanet.autodiff.rules import COMPOSITES, CREATION, PASSTHROUGH
from portanet.backends import Backend
from tests.support import asarray, to_numpy

TEXT = Path(__file__).parents[2].joinpath("docs", "autodiff-conventions.md").read_text(encoding="utf-8")
ROWS, HESSIANS = (
    re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|", part, flags=re.MULTILINE)
    for part in TEXT.split("| Expression | x | Hessian |")
)
BRANCH_POINTS = {"xp.sqrt(x)", "x**0.5"}


def listing() -> str:
    """The functions without derivative, by reason."""
    groups: dict[str, list[str]] = {}
    for name, reason in PASSTHROUGH.items():
        groups.setdefault(reason, []).append(f"`{name}`")
    groups["a new array"] = [f"`{name}`" for name in sorted(CREATION - set(COMPOSITES))]
    return "\n".join(f"- {reason}: {', '.join(sorted(names))}" for reason, names in groups.items())


def summed(expression: str) -> Callable[[Any], Any]:
    """The function of a row; real."""

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        y = xp.sum(eval(expression, {"xp": xp, "x": x}))
        return xp.real(y) if xp.isdtype(y.dtype, "complex floating") else y

    return f


def value(text: str) -> Any:
    return eval(text, {"inf": math.inf, "nan": math.nan})


def directions(shape: tuple[int, ...]) -> list[np.ndarray[Any, Any]]:
    return [np.eye(math.prod(shape))[i].reshape(shape) for i in range(math.prod(shape))]


def test_the_tables_were_found() -> None:
    assert len(ROWS) > 25
    assert len(HESSIANS) > 5


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("expression", "point", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_rows(backend: Backend, expression: str, point: str, expected: str) -> None:
    if "unique" in expression and backend.name == "jax":
        pytest.skip("shapes that depend on values are slow to compile")
    x = asarray(np.asarray(eval(point)), "float64")
    np.testing.assert_allclose(to_numpy(grad(summed(expression))(x)), value(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float16", "complex128"])
def test_rows_in_half_precision_and_for_complex_arrays(backend: Backend, dtype: str) -> None:
    """Both modes, for every function that the library has in this dtype."""
    if not hasattr(backend.xp, dtype) or backend.name == "jax":
        pytest.skip("another dtype, or slow to compile")
    seen = 0
    for expression, point, expected in ROWS:
        x, f = asarray(np.asarray(eval(point)), dtype), summed(expression)
        try:
            f(x)
        except Exception:
            continue
        if "complex" not in dtype or expression not in BRANCH_POINTS:
            seen += 1
            slope = to_numpy(grad(f)(x))
            columns = [to_numpy(jvp(f, (x,), (asarray(t, dtype),))[1]) for t in directions(x.shape)]
            for derivative in (slope, np.reshape(columns, x.shape)):
                np.testing.assert_allclose(derivative, value(expected), rtol=2e-3, atol=1e-12, err_msg=expression)
            assert str(slope.dtype) == dtype
    assert seen >= 13, seen


@pytest.mark.parametrize(("expression", "point", "expected"), HESSIANS, ids=[row[0] for row in HESSIANS])
def test_hessians(backend: Backend, expression: str, point: str, expected: str) -> None:
    if "norm" not in expression and backend.name == "jax":
        pytest.skip("slow to compile")
    x = asarray(np.asarray(eval(point)), "float64")
    np.testing.assert_allclose(to_numpy(hessian(summed(expression))(x)), value(expected), rtol=1e-12, atol=1e-12)


def test_hessian_of_the_squared_norm_elsewhere(xp: Any) -> None:
    function = hessian(summed("xp.linalg.vector_norm(x) ** 2"))
    np.testing.assert_allclose(to_numpy(function(asarray([3.0, 4.0]))), 2 * np.eye(2), atol=1e-5)


def test_the_list_is_that_of_the_tables() -> None:
    assert listing() in TEXT


if __name__ == "__main__":
    print(listing())
