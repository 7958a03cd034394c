"""The state of optimizers as variables, next to Keras's, and steps as pure functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.support import asarray, assert_close, to_numpy

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend here"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # raised inside Keras
]

MAKERS: dict[str, Any] = {
    "sgd": lambda P: P.optimizers.SGD(0.1, momentum=0.9, use_ema=True),
    "adam": lambda P: P.optimizers.Adam(0.1, amsgrad=True, gradient_accumulation_steps=2),
    "rmsprop": lambda P: P.optimizers.RMSprop(0.1, momentum=0.5, centered=True),
    "schedule": lambda P: P.optimizers.Nadam(P.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "muon": lambda P: P.optimizers.Muon(0.1),
}
START = [np.asarray([[1.0, -2.0], [0.5, 3.0]], "float32"), np.asarray([0.5, -1.0], "float32")]
SLOPES = [[(0.5 + i) * w + 0.25 for w in START] for i in range(3)]


def ours(kernel: str = "same") -> Any:
    layer = layers.Dense(2, name=kernel)
    layer.build((None, 2))
    layer.set_weights(START)
    return layer.trainable_weights


def theirs() -> Any:
    return [keras.Variable(w, name=name) for w, name in zip(START, ("kernel", "bias"), strict=True)]


@pytest.mark.parametrize("name", MAKERS)
def test_variables_are_those_of_keras(name: str, backend: Any) -> None:
    optimizer, oracle, weights, parameters = MAKERS[name](portanet), MAKERS[name](keras), ours(), theirs()
    assert optimizer.variables == []
    for each, variables in ((optimizer, weights), (oracle, parameters)):
        each.build(variables)
    for slopes in SLOPES:
        optimizer.apply([asarray(g) for g in slopes], weights)
        oracle.apply([keras.ops.convert_to_tensor(g) for g in slopes], parameters)
        expected = [np.asarray(keras.ops.convert_to_numpy(v.value)) for v in oracle.variables]
        assert [v.shape for v in optimizer.variables] == [e.shape for e in expected]
        for variable, values in zip(optimizer.variables, expected, strict=True):
            np.testing.assert_allclose(variable.numpy(), values, rtol=1e-4, atol=1e-6, err_msg=variable.path)
        assert int(optimizer.iterations) == int(keras.ops.convert_to_numpy(oracle.iterations))


@pytest.mark.parametrize("name", MAKERS)
def test_a_pure_step_is_a_step(name: str, backend: Any) -> None:
    optimizer, other, weights = MAKERS[name](portanet), MAKERS[name](portanet), ours()
    other.build(weights)
    state, params = [v.value for v in other.variables], [v.value for v in weights]
    before = [to_numpy(x) for x in (*state, *params)]
    for slopes in SLOPES:
        gradients = [asarray(g) for g in slopes]
        first = (state, params)
        params, state = other.stateless_apply(state, gradients, params)
        for old, values in zip((*first[0], *first[1]), before, strict=True):
            np.testing.assert_array_equal(to_numpy(old), values)  # nothing is written over
        before = [to_numpy(x) for x in (*state, *params)]
        optimizer.apply(gradients, weights)
        for value, variable in zip(params, weights, strict=True):
            assert_close(value, variable.numpy(), rtol=1e-6)
        for value, variable in zip(state, optimizer.variables, strict=True):
            np.testing.assert_allclose(to_numpy(value), variable.numpy(), rtol=1e-6)


def test_weights_go_from_one_to_another(backend: Any) -> None:
    optimizer, again, weights = MAKERS["adam"](portanet), MAKERS["adam"](portanet), ours()
    for slopes in SLOPES:
        optimizer.apply([asarray(g) for g in slopes], weights)
    optimizer.learning_rate = 0.25
    optimizer.apply([asarray(g) for g in SLOPES[0]], weights)
    store: dict[str, Any] = {}
    optimizer.save_own_variables(store)
    again.build(weights)
    again.load_own_variables(store)
    assert (again.learning_rate, int(again.iterations)) == (0.25, 2)
    for one, two in zip(again.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_lists_of_another_length_are_refused() -> None:
    optimizer, weights = portanet.optimizers.SGD(0.1), ours()
    with pytest.raises(ValueError, match=r"`optimizer_variables` of optimizer 'sgd'.* Call build.* Received: 0"):
        optimizer.stateless_apply([], [], [])
    optimizer.build(weights)
    state = [v.value for v in optimizer.variables]
    with pytest.raises(ValueError, match=r"`grads` of optimizer 'sgd' must hold one array per var.* 2.* Received: 1"):
        optimizer.stateless_apply(state, [START[0]], START)
    with pytest.raises(ValueError, match=r"`weights` of optimizer 'sgd' must hold one array per variable, 2"):
        optimizer.set_weights([])
    with pytest.raises(ValueError, match=r"`variables` of SGD must be a list of variables. Received: "):
        optimizer.build([np.ones(3)])
