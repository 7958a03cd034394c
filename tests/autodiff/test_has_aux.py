"""`has_aux`: the auxiliary result comes back as it is, and what is no pair is refused by every transformation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import autodiff
from tests.support import asarray, to_numpy

ONES = lambda: asarray(np.ones(2))
TRANSFORMATIONS: dict[str, tuple[Callable[[Any], Any], int]] = {
    # A call of a function of an array, and the place of the auxiliary result
    "grad": (lambda f: autodiff.grad(f, has_aux=True)(ONES()), 1),
    "value_and_grad": (lambda f: autodiff.value_and_grad(f, has_aux=True)(ONES())[0], 1),
    "jacobian": (lambda f: autodiff.jacobian(f, has_aux=True)(ONES()), 1),
    "jacobian, forward": (lambda f: autodiff.jacobian(f, mode="forward", has_aux=True)(ONES()), 1),
    "hessian": (lambda f: autodiff.hessian(f, has_aux=True)(ONES()), 1),
    "value_and_jacobian": (lambda f: autodiff.value_and_jacobian(f, has_aux=True)(ONES())[0], 1),
    "sparse_jacobian": (lambda f: autodiff.sparse_jacobian(f, has_aux=True)(ONES()), 1),
    "sparse_hessian": (lambda f: autodiff.sparse_hessian(f, has_aux=True)(ONES()), 1),
    "vjp": (lambda f: autodiff.vjp(f, ONES(), has_aux=True), 2),
    "jvp": (lambda f: autodiff.jvp(f, (ONES(),), (ONES(),), has_aux=True), 2),
    "linearize": (lambda f: autodiff.linearize(f, ONES(), has_aux=True), 2),
    "hvp": (lambda f: autodiff.hvp(f, (ONES(),), (ONES(),), has_aux=True), 1),
}


def value(x: Any) -> Any:
    return autodiff.array_namespace(x).sum(x * x)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_the_auxiliary_result_comes_back(xp: Any, name: str) -> None:
    call, place = TRANSFORMATIONS[name]
    result = call(lambda x: (value(x), {"twice": 2 * x, "text": "a"}))
    assert len(result) == place + 1
    np.testing.assert_array_equal(to_numpy(result[place]["twice"]), [2.0, 2.0])
    assert result[place]["text"] == "a"


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_what_is_no_pair_is_refused(name: str) -> None:
    call = TRANSFORMATIONS[name][0]
    for wrong in (lambda x: value(x), lambda x: (value(x),), lambda x: (value(x), 1, 2), lambda x: [value(x), 1]):
        with pytest.raises(TypeError, match=r"must return \(value, aux\)\. Received: "):
            call(wrong)


@pytest.mark.parametrize(
    "call",
    [
        lambda solve: autodiff.custom_root(lambda x: x - 1.0, ONES(), solve, has_aux=True),
        lambda solve: autodiff.custom_minimum(lambda x: value(x - 1.0), ONES(), solve, has_aux=True),
        lambda solve: autodiff.custom_linear_solve(lambda x: x, ONES(), solve, has_aux=True),
    ],
)
def test_the_auxiliary_result_of_a_solver(xp: Any, call: Callable[[Any], Any]) -> None:
    solution, aux = call(lambda f, x: (ONES(), {"steps": 3}))
    np.testing.assert_array_equal(to_numpy(solution), [1.0, 1.0])
    assert aux == {"steps": 3}
    for wrong in (lambda f, x: ONES(), lambda f, x: (ONES(),), lambda f, x: (ONES(), 1, 2), lambda f, x: [ONES(), 1]):
        with pytest.raises(TypeError, match=r"must return \(solution, aux\)\. Received: "):
            call(wrong)
