"""docs/autodiff-conventions.md is true: every row is computed, and its list is that of the rule tables.

`python -m tests.autodiff.test_conventions` prints the list.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hessian
from portanet.autodiff.rules import COMPOSITES, CREATION, PASSTHROUGH
from portanet.backends import Backend
from tests.support import asarray, to_numpy

TEXT = Path(__file__).parents[2].joinpath("docs", "autodiff-conventions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|", TEXT, flags=re.MULTILINE)


def listing() -> str:
    """The functions without derivative, by reason."""
    groups: dict[str, list[str]] = {}
    for name, reason in PASSTHROUGH.items():
        groups.setdefault(reason, []).append(f"`{name}`")
    groups["a new array"] = [f"`{name}`" for name in sorted(CREATION - set(COMPOSITES))]
    return "\n".join(f"- {reason}: {', '.join(sorted(names))}" for reason, names in groups.items())


def test_the_table_was_found() -> None:
    assert len(ROWS) > 25


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("expression", "point", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_rows(backend: Backend, expression: str, point: str, expected: str) -> None:
    if "unique" in expression and backend.name == "jax":
        pytest.skip("shapes that depend on values are slow to compile")
    x = asarray(np.asarray(eval(point)), "float64")

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.sum(eval(expression, {"xp": xp, "x": x}))

    slope = to_numpy(grad(f)(x))
    np.testing.assert_allclose(slope, eval(expected, {"inf": math.inf, "nan": math.nan}), rtol=1e-12, atol=1e-12)


def test_hessian_of_the_squared_norm_at_the_origin(xp: Any) -> None:
    def squared_norm(x: Any) -> Any:
        return array_namespace(x).linalg.vector_norm(x) ** 2

    origin, other = asarray([0.0, 0.0]), asarray([3.0, 4.0])
    assert to_numpy(hessian(squared_norm)(origin)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(to_numpy(hessian(squared_norm)(other)), 2 * np.eye(2), atol=1e-5)
    for f in (lambda x: array_namespace(x).vecdot(x, x), lambda x: array_namespace(x).sum(x * x)):
        assert to_numpy(hessian(f)(origin)).tolist() == [[2.0, 0.0], [0.0, 2.0]]


def test_the_list_is_that_of_the_tables() -> None:
    assert listing() in TEXT


if __name__ == "__main__":
    print(listing())
