"""Each argument alone of a loss may have values per example of `vmap`: targets, predictions, weights and masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet.autodiff import vmap
from portanet.backends import Backend
from tests.losses.test_losses import CASES
from tests.support import to_numpy

WEIGHTS, MASK = np.asarray([1.0, 2.0, 0.5, 0.0]), np.asarray([True, False, True, True])


@pytest.mark.parametrize("position", range(4), ids=["targets", "predictions", "weights", "mask"])
def test_one_argument_per_example(backend: Backend, position: int) -> None:
    if backend.name in ("jax", "dpnp"):
        pytest.skip("every operation of every loss would be compiled")
    for name, (loss, targets, predictions) in CASES.items():
        host = [np.asarray(x) for x in (targets, predictions, WEIGHTS, MASK)]
        args = [portanet.asarray(x) for x in host]
        rows = [np.roll(host[position], i, axis=0) for i in range(2)]

        def f(x: Any, args: list[Any] = args, loss: Any = loss) -> Any:
            return loss(*args[:position], x, *args[position + 1 :])

        expected = [float(f(portanet.asarray(row))) for row in rows]
        actual = vmap(f)(portanet.asarray(np.stack(rows)))
        np.testing.assert_allclose(to_numpy(actual), expected, rtol=1e-5, atol=1e-6, err_msg=name)
