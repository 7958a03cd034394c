"""Mixed precision as in Keras: dtypes of results and weights, the rule of the loss scale, and a training run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers
from portanet.backends import Backend, get_backend

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
overflow = pytest.mark.filterwarnings(
    "ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning"
)  # NumPy's

IMAGES, SEQUENCES, ROWS = (2, 6, 6, 3), (2, 5, 4), (2, 4)
CASES = [
    ("Dense", {"units": 3, "activation": "softmax"}, ROWS),
    ("Conv2D", {"filters": 2, "kernel_size": 3}, IMAGES),
    ("MaxPooling2D", {}, IMAGES),
    ("GlobalAveragePooling2D", {}, IMAGES),
    ("BatchNormalization", {}, IMAGES),
    ("LayerNormalization", {}, ROWS),
    ("Flatten", {}, IMAGES),
    ("Dropout", {"rate": 0.5}, ROWS),
    ("LSTM", {"units": 3, "recurrent_initializer": "glorot_uniform"}, SEQUENCES),
    ("Activation", {"activation": "tanh"}, ROWS),
]


@pytest.mark.parametrize("policy", ["mixed_float16", "float64", "float16"])
@pytest.mark.parametrize(("name", "options", "shape"), CASES, ids=[case[0] for case in CASES])
def test_dtypes_of_layers(name: str, options: dict[str, Any], shape: Any, policy: str) -> None:
    theirs = getattr(keras.layers, name)(**options, dtype=policy)
    ours = getattr(layers, name)(**options, dtype=policy)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = theirs(x)
    result = ours(portanet.asarray(x))
    assert ours.compute_dtype == theirs.compute_dtype
    assert ours.variable_dtype == theirs.variable_dtype
    assert str(result.dtype) == keras.backend.standardize_dtype(expected.dtype)
    assert [str(w.dtype) for w in ours.weights] == [keras.backend.standardize_dtype(w.dtype) for w in theirs.weights]
    if not ours.weights:
        np.testing.assert_allclose(result, keras.ops.convert_to_numpy(expected), rtol=1e-3)


def test_rule_of_the_loss_scale(backend: Backend) -> None:
    good, bad = [4.0, -8.0], [np.inf, 1.0]
    gradients = [good, good, good, bad, good, [np.nan, np.nan], bad, *[good] * 7]
    theirs = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1, momentum=0.9), initial_scale=64.0, dynamic_growth_steps=3
    )
    ours = optimizers.LossScaleOptimizer(optimizers.SGD(0.1, momentum=0.9), initial_scale=64.0, dynamic_growth_steps=3)
    w = keras.Variable(np.asarray([1.0, 2.0], dtype="float32"))
    params = {"w": portanet.asarray([1.0, 2.0])}
    state = ours.init(params)
    step = get_backend().compile(ours.update)
    for g in gradients:
        theirs.apply([keras.ops.convert_to_tensor(np.asarray(g, dtype="float32"))], [w])
        params, state = step(params, {"w": portanet.asarray(g)}, state)
        assert float(portanet.to_host(state["dynamic_scale"])) == float(theirs.dynamic_scale)
        assert int(portanet.to_host(state["step_counter"])) == int(theirs.step_counter)
        assert int(portanet.to_host(state["iterations"])) == int(theirs.iterations)
        np.testing.assert_allclose(portanet.to_host(params["w"]), keras.ops.convert_to_numpy(w), rtol=1e-6)


@overflow
def test_a_training_run(backend: Backend) -> None:
    if not hasattr(backend.xp, "float16"):
        pytest.skip(f"{backend.name} has no float16")
    generator = np.random.default_rng(0)
    x = generator.normal(size=(64, 4)).astype("float32")
    y = (x @ generator.normal(size=(4, 1))).astype("float32")
    kind = {"dtype": "mixed_float16"}
    ours = portanet.Sequential([layers.Input((4,)), layers.Dense(8, "tanh", **kind), layers.Dense(1, dtype="float32")])
    ours.compile(optimizers.SGD(0.05), "mse")
    theirs = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "tanh", **kind), keras.layers.Dense(1, dtype="float32")]
    )
    theirs.set_weights(ours.get_weights())
    theirs.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)), "mse", jit_compile=False)
    result = ours.fit(x, y, epochs=5, batch_size=16, shuffle=False, verbose=0).history["loss"]
    expected = theirs.fit(x, y, epochs=5, batch_size=16, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(result, expected, rtol=2e-3)
