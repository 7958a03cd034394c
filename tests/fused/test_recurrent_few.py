"""An LSTM over few examples and time steps, where weights are not rearranged, and a step without a loop around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet.autodiff import array_namespace, check_grads
from portanet.backends import Backend, use_backend
from portanet.fused.recurrent_lstm import lstm
from portanet.fused.recurrent_scan import scan
from tests.support import to_numpy


def by_definition(x: Any, kernel: Any, recurrent: Any, bias: Any, h: Any, c: Any, mask: Any, keep: Any) -> Any:
    outputs = []
    for t in range(x.shape[0]):
        a = x[t] @ kernel + (h * keep) @ recurrent + bias
        i, f, u, o = np.split(a, 4, axis=-1)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        new_c = f * c + i * np.tanh(u)
        new_h = o * np.tanh(new_c)
        h, c = np.where(mask[t], new_h, h), np.where(mask[t], new_c, c)
        outputs.append(h)
    return np.stack(outputs), h, c


# Fewer rows than units, as many, more; with units for which NumPy's own plan loses and gains.
@pytest.mark.parametrize("rows", [(1, 1), (2, 2), (5, 1), (3, 4)])
@pytest.mark.parametrize("units", [5, 40])
def test_lstm_over_few_steps(backend: Backend, rows: tuple[int, int], units: int) -> None:
    time, batch = rows
    generator = np.random.default_rng(0)
    shapes = [(time, batch, 3), (3, 4 * units), (units, 4 * units), (4 * units,), (batch, units), (batch, units)]
    hosts = [generator.standard_normal(shape) for shape in shapes]
    mask, keep = generator.random((time, batch, 1)) < 0.7, generator.integers(0, 2, (batch, units)) * 2.0
    with use_backend(backend.name, backend.device, "float64"):
        arrays = [portanet.asarray(host) for host in hosts]
        plain = lstm(*arrays)
        masked = lstm(*arrays, mask=portanet.asarray(mask), recurrent_keep=portanet.asarray(keep))
    nothing = np.ones_like(mask), np.ones_like(keep)
    for ours, theirs in ((plain, by_definition(*hosts, *nothing)), (masked, by_definition(*hosts, mask, keep))):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(to_numpy(a), b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("time", "batch"), [(1, 1), (2, 1)])
def test_derivatives_of_lstm_over_few_steps(backend: Backend, time: int, batch: int) -> None:
    generator = np.random.default_rng(0)
    shapes = [(time, batch, 2), (2, 12), (3, 12), (12,), (batch, 3), (batch, 3)]
    with use_backend(backend.name, backend.device, "float64"):
        arrays = [portanet.asarray(generator.standard_normal(shape)) for shape in shapes]

        def total(*arrays: Any) -> Any:
            h, h_last, c_last = lstm(*arrays)
            xp = array_namespace(h)
            return xp.sum(xp.tanh(h) * h) + xp.sum(h_last * c_last)

        check_grads(total, tuple(arrays), order=1, modes=("reverse",))


def test_results_of_one_step_are_arrays_of_their_own() -> None:
    def step(carry: Any, x: Any) -> Any:
        total = carry[0] + x
        return (total,), (total, carry[0])

    with use_backend("numpy"):
        (last,), (totals, before) = scan(step, (np.zeros((2, 3)),), [np.ones((1, 2, 3))])
    np.testing.assert_array_equal(last, np.ones((2, 3)))
    np.testing.assert_array_equal(totals, np.ones((1, 2, 3)))
    np.testing.assert_array_equal(before, np.zeros((1, 2, 3)))
    assert not np.shares_memory(last, totals)


@pytest.mark.parametrize("returned", ["states", "sequences"])
def test_a_layer_called_step_by_step_is_the_layer_called_on_the_sequence(backend: Backend, returned: str) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        layer = portanet.layers.LSTM(40, return_sequences=returned == "sequences", return_state=True, dtype="float64")
        x = portanet.asarray(np.random.default_rng(0).standard_normal((1, 6, 5)), "float64")
        whole, *last = layer(x)
        states: list[Any] = []
        steps = []
        for t in range(6):
            out, *states = layer([x[:, t : t + 1, :], *states])
            steps.append(to_numpy(out))
    result = np.concatenate(steps, axis=1) if returned == "sequences" else steps[-1]
    np.testing.assert_allclose(to_numpy(whole), result, rtol=1e-9, atol=1e-12)
    for a, b in zip(last, states, strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-9, atol=1e-12)
