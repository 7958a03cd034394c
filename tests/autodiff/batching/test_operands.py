"""`vmap`: operands of which some have examples and some not, of any rank, and what messages call them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, jvp, vmap
from tests.autodiff.batching.test_vmap import close, double, loop

RNG = np.random.default_rng(0)
ROWS, MATRICES = RNG.normal(size=(4, 3)) + 3.0, RNG.normal(size=(4, 2, 3)) + 3.0
ROW, MATRIX = RNG.normal(size=3) + 3.0, RNG.normal(size=(2, 3)) + 3.0


def mixed(x: Any, y: Any) -> Any:
    """Operators and products in both orders, of the arrays and with numbers."""
    xp = array_namespace(x, y)
    z = (x * y - y / x) * 2 + (1.5 - xp.hypot(y, x)) ** 2
    return xp.sum(z) + (xp.sum(xp.matmul(z, x)) if len(x.shape) == 1 else xp.sum(z * x))


@pytest.mark.parametrize(
    ("batch", "shared"),
    [
        pytest.param(batch, shared, id=f"{len(batch.shape) - 1}-{len(shared.shape)}")
        for batch, shared in ((ROWS, ROW), (ROWS, MATRIX), (MATRICES, ROW), (MATRICES, np.asarray(2.5)))
    ],
)
def test_one_operand_is_shared(xp: Any, batch: Any, shared: Any) -> None:
    x, y = double(batch), double(shared)
    repeated = [shared] * len(batch)
    for number in (0, 1):
        gradient = grad(mixed, number)
        close(vmap(gradient, (0, None))(x, y), loop(gradient, batch, repeated))
    swapped = grad(lambda a, b: mixed(b, a))
    close(vmap(swapped, (None, 0))(y, x), loop(swapped, repeated, batch))
    push = lambda a, b: jvp(mixed, (a, b), (a, b))[1]
    close(vmap(push, (0, None))(x, y), loop(push, batch, repeated))


def test_ranks_that_differ(xp: Any) -> None:
    gradient = grad(mixed)
    close(vmap(gradient)(double(ROWS), double(MATRICES)), loop(gradient, ROWS, MATRICES))
    close(vmap(gradient)(double(MATRICES), double(ROWS)), loop(gradient, MATRICES, ROWS))


def test_messages_name_the_place(xp: Any) -> None:
    x, two = double(ROWS), double(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"4 for argument 0\['a'\], 2 for argument 0\['b'\]\[0\], 4 for c"):
        vmap(lambda tree, c: c)({"a": x, "b": [two]}, c=x)
    with pytest.raises(ValueError, match=r"argument 1\[1\] has no axis 0"):
        vmap(lambda a, b: a)(x, (x, double(np.asarray(1.0))))
    with pytest.raises(ValueError, match=r"out_axes=2 for result\['second'\]\[0\]"):
        vmap(lambda a: {"first": a, "second": [a]}, out_axes={"first": 0, "second": [2]})(x)
    with pytest.raises(TypeError, match=r"a str at result\[1\]"):
        vmap(lambda a: (a, "text"))(x)
