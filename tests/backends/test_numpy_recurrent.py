"""Layers of recurrent units on NumPy: one loop for all kinds, in pieces of the batch on threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import use_backend
from portanet.backends.numpy import recurrent, threads
from portanet.backends.numpy.memory import LINE, LONG, aligned, in_line
from portanet.fused.recurrent_gru import gru, gru_reset_before
from portanet.fused.recurrent_lstm import lstm
from portanet.fused.recurrent_simple import simple_rnn

OPS: dict[str, tuple[Any, int, int, int]] = {
    # op, gates, biases, states
    "lstm": (lstm, 4, 1, 2),
    "gru": (gru, 3, 2, 1),
    "gru_reset_before": (gru_reset_before, 3, 1, 1),
    "simple_rnn": (simple_rnn, 1, 1, 1),
}


def arguments(name: str, time: int = 11, batch: int = 70, features: int = 3, units: int = 16) -> tuple[Any, list[Any]]:
    """The function that returns results and pullback, and its arrays."""
    op, gates, biases, states = OPS[name]
    generator = np.random.default_rng(0)
    shapes = [(time, batch, features), (features, gates * units), (units, gates * units)]
    shapes += [(gates * units,)] * biases + [(batch, units)] * states
    return op.__wrapped__, [generator.standard_normal(shape).astype("float32") for shape in shapes]


@pytest.fixture(autouse=True)
def pieces_of_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrent, "ENOUGH", 1)
    monkeypatch.setattr(recurrent, "BLOCK", 128)


def same(results: Any, expected: Any) -> None:
    for a, b in zip(results, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", OPS)
def test_one_thread_gives_the_bits_of_many(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, arrays = arguments(name)

    def computed() -> list[Any]:
        results, pullback = function(*arrays)
        return [*results, *(each() for each in pullback(results))]

    whole = computed()
    monkeypatch.setattr(threads, "thread_count", lambda: 1)
    same(computed(), whole)


@pytest.mark.parametrize("name", OPS)
def test_cotangents_are_the_same_in_whatever_order_they_are_asked_for(name: str) -> None:
    """That of the inputs is computed along with the others only if it is the first, else in a second pass."""
    function, arrays = arguments(name)
    results, pullback = function(*arrays)
    kept = [each.copy() for each in results]
    expected = [each() for each in pullback(results)]
    same(reversed([each() for each in reversed(pullback(results))]), expected)
    same(results, kept)


@pytest.mark.parametrize("name", OPS)
def test_only_the_last_state_may_have_a_cotangent(name: str) -> None:
    """As where the outputs before are not used."""
    function, arrays = arguments(name)
    (outputs, *last), pullback = function(*arrays)
    with_zeros = [each() for each in pullback((np.zeros_like(outputs), *last))]
    for a, b in zip((each() for each in pullback((None, *last))), with_zeros, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", OPS)
def test_infinite_inputs_saturate_gates_as_in_the_definition(name: str) -> None:
    function, arrays = arguments(name, batch=16)
    arrays[0][:, 3] = [np.inf, 0.0, 0.0]
    with np.errstate(invalid="ignore"):
        results, expected = function(*arrays)[0], function.definition(*arrays)[0]
    for a, b in zip(results, expected, strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_pieces_are_halves_of_the_batch_unless_there_is_too_little_to_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    weights = 2**17  # of 128 units and inputs with four gates
    sizes = {batch: recurrent.rows_of_a_piece(batch, weights) for batch in (1, 20, 32, 64, 100, 128, 129, 256)}
    assert sizes == {1: 1, 20: 20, 32: 16, 64: 32, 100: 50, 128: 64, 129: 65, 256: 64}
    assert recurrent.rows_of_a_piece(128, 2**15) == 64
    assert recurrent.rows_of_a_piece(128, 2**13) == 128
    assert recurrent.rows_of_a_piece(1, 2**30) == 1


def test_every_kind_of_units_takes_the_same_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = []
    run = recurrent.Units._run
    monkeypatch.setattr(recurrent.Units, "_run", lambda self: (kinds.append(type(self)), run(self)))
    for name in OPS:
        function, arrays = arguments(name, batch=16)
        function(*arrays)
    assert len(set(kinds)) == len(kinds) == len(OPS)


@pytest.mark.parametrize("dtype", ["float32", "int8", "object"])
def test_long_arrays_are_brought_into_line(dtype: str) -> None:
    x = np.arange(LONG + 1).astype(dtype)
    copy = in_line(x)
    if dtype == "object":
        assert copy is x
    else:
        np.testing.assert_array_equal(copy, x)
        assert copy.dtype == x.dtype
        assert copy.ctypes.data % LINE == 0
    assert in_line(short := x[: LONG - 1]) is short
    assert in_line(scattered := np.zeros((LONG, 2), dtype)[:, 0]) is scattered


@pytest.mark.parametrize("shape", [(3, 5), (0, 2), (1,), ()])
def test_aligned_memory_begins_with_a_line_of_the_cache(shape: tuple[int, ...]) -> None:
    for dtype in ("float32", "float64"):
        x = aligned(shape, dtype)
        assert x.shape == shape
        assert x.dtype == dtype
        assert not x.size or x.__array_interface__["data"][0] % LINE == 0
        x[...] = 1.0
        assert (x == 1.0).all()


def test_weights_lie_row_by_row_whatever_they_are_made_of() -> None:
    """The product of one example with a transposed kernel takes half as long again."""
    with use_backend("numpy"):
        layer = layers.LSTM(8)
        layer.build((None, 1, 4))
        assert all(weight.value.flags.c_contiguous for weight in layer.weights)
        layer.set_weights([np.asfortranarray(weight) for weight in layer.get_weights()])
        assert all(weight.value.flags.c_contiguous for weight in layer.weights)
