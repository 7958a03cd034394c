"""States of a list of recurrent cells: nested per cell, in calls, graphs, files and training, against Keras 3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.support import asarray, to_numpy

# Keras warns of its own use of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
rng = np.random.default_rng(0)
X = rng.normal(size=(4, 5, 3)).astype("float32")
STACKS: dict[str, Any] = {
    "two": lambda module: [module.LSTMCell(4), module.GRUCell(2)],
    "one": lambda module: [module.LSTMCell(4)],
    "in a stack": lambda module: [
        module.StackedRNNCells([module.LSTMCell(4), module.SimpleRNNCell(3)]),
        module.GRUCell(2),
    ],
}


def pair(stack: str, **options: Any) -> tuple[Any, Any]:
    """A layer, and Keras's with the same weights."""
    keras = pytest.importorskip("keras")
    ours, theirs = (
        module.RNN(STACKS[stack](module), return_state=True, **options) for module in (layers, keras.layers)
    )
    ours.build(X.shape)
    theirs.build(X.shape)
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def structure(tree: Any) -> Any:
    """The shapes in a tree of arrays."""
    return [structure(part) for part in tree] if isinstance(tree, (list, tuple)) else tuple(tree.shape)


def leaves(tree: Any) -> list[Any]:
    parts = [leaves(part) for part in tree] if isinstance(tree, (list, tuple)) else [[tree]]
    return [leaf for part in parts for leaf in part]


def assert_as_keras(ours: Any, theirs: Any) -> None:
    assert structure(ours) == structure(theirs)
    for a, b in zip(leaves(ours), leaves(theirs), strict=True):
        values = a if isinstance(a, np.ndarray) else to_numpy(a)
        np.testing.assert_allclose(values, b.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_states_as_keras(backend: Any, stack: str, return_sequences: bool) -> None:
    ours, theirs = pair(stack, return_sequences=return_sequences)
    out, expected = ours(asarray(X)), theirs(X)
    assert isinstance(out, tuple)
    assert_as_keras(out, expected)
    assert list(ours.compute_output_shape(X.shape)) == structure(out)
    assert ours.state_size == ours.cell.state_size
    again = theirs(X, initial_state=list(expected[1:]))
    states = list(out[1:])
    assert_as_keras(ours(asarray(X), initial_state=states), again)
    assert_as_keras(ours([asarray(X), *states]), again)
    assert_as_keras(ours([asarray(X), *leaves(states)]), again)  # in one list, too


def test_bidirectional_as_keras(backend: Any) -> None:
    keras = pytest.importorskip("keras")
    ours, theirs = (
        module.Bidirectional(module.RNN(STACKS["two"](module), return_state=True)) for module in (layers, keras.layers)
    )
    ours.build(X.shape)
    theirs.build(X.shape)
    theirs.set_weights(ours.get_weights())
    out, expected = ours(asarray(X)), theirs(X)
    assert_as_keras(out, expected)
    assert_as_keras(ours(asarray(X), initial_state=list(out[1:])), theirs(X, initial_state=list(expected[1:])))


@pytest.mark.parametrize("stack", STACKS)
def test_in_graphs_and_files(backend: Any, stack: str, tmp_path: Any) -> None:
    _, theirs = pair(stack)
    portanet.random.set_seed(0)
    first = layers.RNN(STACKS[stack](layers), return_state=True, name="first")
    second = layers.RNN(STACKS[stack](layers), return_state=True, name="second")
    x = layers.Input((5, 3))
    out, *states = first(x)
    assert structure([out, *states]) == list(first.compute_output_shape((None, 5, 3)))
    final = second(x, initial_state=states)
    model = portanet.Model(x, [out, final[1:]])
    for layer in (first, second):
        layer.set_weights(theirs.get_weights())
    _, *expected = theirs(X)
    expected = [theirs(X)[0], list(theirs(X, initial_state=expected)[1:])]
    assert_as_keras(model.predict(X), expected)
    assert_as_keras(model(asarray(X)), expected)
    assert model.compute_output_shape((2, 5, 3))[1] == first.compute_output_shape((2, 5, 3))[1:]
    model.save(tmp_path / "model")
    loaded = portanet.load_model(tmp_path / "model")
    assert_as_keras(loaded.predict(X), expected)
    twin = portanet.models.clone_model(model)
    twin.set_weights(model.get_weights())
    assert_as_keras(twin.predict(X), expected)


def test_initial_states_as_inputs_in_training(backend: Any) -> None:
    portanet.random.set_seed(0)
    x, h, c, s = layers.Input((5, 3)), layers.Input((4,)), layers.Input((4,)), layers.Input((2,))
    layer = layers.RNN([layers.LSTMCell(4), layers.GRUCell(2)], return_state=True)
    out, (_, last), (_,) = layer(x, initial_state=[[h, c], [s]])
    model = portanet.Model([x, h, c, s], layers.Dense(1)(layers.Concatenate()([out, last])))
    model.compile("adam", "mse")
    data = [X, *(rng.normal(size=(4, n)).astype("float32") for n in (4, 4, 2))]
    before = model.get_weights()
    history = model.fit(data, X[:, 0, :1], epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_cells_with_one_size_have_their_state_alone(backend: Any) -> None:
    class Sum(layers.Layer):
        state_size = 3

        def call(self, x: Any, states: Any) -> Any:
            return x + states[0], x + states[0]

    layer = layers.RNN([Sum(), layers.LSTMCell(2)], return_state=True)
    out, state, pair = layer(asarray(X))
    np.testing.assert_allclose(to_numpy(state), X.sum(axis=1), rtol=1e-4, atol=1e-5)
    assert structure(pair) == [(4, 2), (4, 2)]
    assert structure(layer(asarray(X), initial_state=[state, pair])) == structure([out, state, pair])
    stack = layers.StackedRNNCells([Sum(), layers.LSTMCell(2)])
    _, states = stack(asarray(X[:, 0]), [asarray(X[:, 1]), [asarray(np.zeros((4, 2), "float32"))] * 2])
    assert structure(states) == [(4, 3), [(4, 2), (4, 2)]]
    assert stack.compute_output_shape((4, 3)) == ((4, 2), [(4, 3), [(4, 2), (4, 2)]])


def test_states_that_do_not_fit(backend: Any) -> None:
    layer = layers.RNN([layers.LSTMCell(4), layers.GRUCell(2)])
    state = asarray(np.zeros((4, 4), "float32"))
    with pytest.raises(ValueError, match=r"Layer 'rnn' needs states of shapes .*\(4, 2\)\].*Received: .*\(4, 4\)\]"):
        layer(asarray(X), initial_state=[[state, state], [state]])
