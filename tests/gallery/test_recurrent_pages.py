"""NumpyDL documentation, 2.7: the timer, the cliff, and the gates of the LSTM."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

timer, cliff, gates = (load(f"sequences/{name}") for name in ("timer", "cliff", "lstm_gates"))


@pytest.fixture(autouse=True)
def numpy_backend() -> Iterator[None]:
    with portanet.use_backend("numpy"):
        yield


def test_sequences_of_the_timer() -> None:
    x, y = timer.sequences(50, longest=20)
    assert x.shape == (50, 40, 2)
    assert np.all(x[..., 0].sum(axis=1) == 1)
    np.testing.assert_allclose((y > 0).sum(axis=(1, 2)), 20 * x[..., 1].max(axis=1), atol=1e-4)
    assert np.all(x[..., 0].argmax(axis=1) == (y[..., 0] > 0).argmax(axis=1))
    assert set(np.unique(y)) == {0, 0.5}


def test_the_timer_learns() -> None:
    model, losses = timer.timer(examples=500, epochs=15, longest=10)
    assert losses[-1] < losses[0] / 10
    assert timer.right_steps(model, longest=10) > 0.9


def test_the_surface_is_that_of_the_layer() -> None:
    for weight, bias in ((3.0, -1.0), cliff.START):
        x = np.zeros((1, cliff.STEPS, 1))
        h = cliff.answer(portanet.asarray(weight), portanet.asarray(bias))
        assert float(cliff.network((weight, bias)).predict(x)[0, 0]) == pytest.approx(float(h), rel=1e-5)


def test_the_cliff_throws_what_is_not_clipped() -> None:
    free, clipped = cliff.descend(None, steps=40), cliff.descend(0.5, steps=40)
    longest_free, longest_clipped = (np.hypot(*np.diff(path, axis=0).T).max() for path in (free, clipped))
    assert longest_clipped <= 0.5 * 0.5 * (1 + 1e-4)
    assert longest_free > 2
    np.testing.assert_array_equal(free[:5], clipped[:5])  # gradients of at most 0.5 are left alone
    assert cliff.slope(*free[-1]) < 0.02


def test_gates_by_hand_write_keep_read_and_clear() -> None:
    values = gates.gates(gates.by_hand(), gates.program())
    np.testing.assert_allclose(values["cell"][:, 0], [0, 4.2, 4.2, 4.2, 4.2, 4.2, 4.2, 0, 0], atol=1e-5)
    np.testing.assert_allclose(values["output"][:, 0], [0, 0, 0, 0, 0, 0, 4.2, 0, 0], atol=1e-5)
    x = portanet.asarray(gates.program()[None])
    np.testing.assert_allclose(portanet.to_host(gates.by_hand()(x))[0], values["output"], atol=1e-6)


def test_the_gradient_through_the_cell_does_not_fade() -> None:
    assert gates.reading(200) == pytest.approx((4.2, 1.0), rel=1e-4)


def test_gates_of_a_trained_layer_explain_its_output() -> None:
    model, error = gates.learn(examples=400, epochs=3)
    x, _ = gates.flagged(1)
    values = gates.gates(model.layers[0], x[0])
    output = values["read"] * np.tanh(values["cell"])
    np.testing.assert_allclose(output, values["output"], atol=1e-5)
    assert error < 0.5
