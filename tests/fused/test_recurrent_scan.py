"""The loop over time: recurrent ops with an overridden loop against the plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import check_grads, value_and_grad
from portanet.backends import Backend
from portanet.fused import recurrent_scan
from portanet.fused.recurrent_gru import gru, gru_reset_before
from portanet.fused.recurrent_lstm import lstm
from portanet.fused.recurrent_simple import simple_rnn
from tests.support import asarray, to_numpy

OPS: dict[str, tuple[Any, int, int, int]] = {
    # op, gates, biases, states
    "lstm": (lstm, 4, 1, 2),
    "gru": (gru, 3, 2, 1),
    "gru_reset_before": (gru_reset_before, 3, 1, 1),
    "simple_rnn": (simple_rnn, 1, 1, 1),
}


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize(("batch", "bare"), [(1, False), (20, False), (70, False), (70, True)])
def test_the_override_is_the_loop(
    backend: Backend, name: str, batch: int, bare: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces of the batch, and a compiled loop, give the values and gradients of the plain loop."""
    monkeypatch.setattr("portanet.backends.numpy.recurrent.ENOUGH", 1)
    monkeypatch.setattr("portanet.backends.numpy.recurrent.BLOCK", 64)
    op, gates, biases, states = OPS[name]
    rng = np.random.default_rng(batch)
    time, features, units = 5, 3, 4
    shapes = [(time, batch, features), (features, gates * units), (units, gates * units)]
    shapes += [(gates * units,)] * biases + [(batch, units)] * states
    arrays = [asarray(rng.normal(size=shape), "float64") for shape in shapes]
    mask = None if bare else asarray(rng.random((time, batch, 1)) < 0.7)
    keep = None if bare else asarray(rng.integers(0, 2, (batch, units)) * 2.0, "float64")
    factor = asarray(rng.normal(size=(time, batch, units)), "float64")

    def slopes(*arrays: Any) -> Any:
        def total(*arrays: Any) -> Any:
            h, *last = op(*arrays, mask=mask, recurrent_keep=keep)
            xp = h.__array_namespace__()
            return xp.sum(h * factor) + sum(xp.sum(each * each) for each in last)

        return value_and_grad(total, tuple(range(len(arrays))))(*arrays)

    value, grads = backend.compile(slopes)(*arrays)
    monkeypatch.setattr(type(backend), "overrides", {})
    expected_value, expected = slopes(*arrays)
    np.testing.assert_allclose(to_numpy(value), to_numpy(expected_value), rtol=1e-10)
    for g, e in zip(grads, expected, strict=True):
        np.testing.assert_allclose(to_numpy(g), to_numpy(e), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", OPS)
def test_gradients_with_masks_and_dropped_states(backend: Backend, name: str) -> None:
    op, gates, biases, states = OPS[name]
    rng = np.random.default_rng(5)
    shapes = [(3, 2, 2), (2, gates * 3), (3, gates * 3)] + [(gates * 3,)] * biases + [(2, 3)] * states
    arrays = [asarray(rng.normal(size=shape), "float64") for shape in shapes]
    mask, keep = asarray(rng.random((3, 2, 1)) < 0.7), asarray(rng.integers(0, 2, (2, 3)) * 2.0, "float64")
    check_grads(lambda *arrays: op(*arrays, mask=mask, recurrent_keep=keep), tuple(arrays))


def test_reverse_keeps_the_order_of_time(backend: Backend) -> None:
    xp = backend.xp
    x = asarray(np.arange(6.0).reshape(3, 2, 1))
    (last,), (seen,) = recurrent_scan.scan(lambda c, x: ((c[0] + x,), (c[0],)), (x[0, ...] * 0,), [x], reverse=True)
    np.testing.assert_array_equal(to_numpy(recurrent_scan.joined(xp, seen))[:, 0, 0], [6.0, 4.0, 0.0])
    np.testing.assert_array_equal(to_numpy(last)[:, 0], [6.0, 9.0])
