from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, models, optimizers, random
from portanet.regularizers import contractive
from portanet.variables import collect_losses
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, to_numpy
from tests.test_arguments import REQUIRED

X = np.random.default_rng(0).standard_normal((6, 4))
Y = np.random.default_rng(1).standard_normal((6, 2))


def test_layers(backend: Any) -> None:
    check_layer(lambda: layers.ActivityRegularization(0.1, 0.2), (3, 4), (3, 4), {})
    encoder_weights = {"dense/kernel": (4, 2), "dense/bias": (2,)}
    check_layer(
        lambda: layers.ContractiveRegularization(layers.Dense(2, "sigmoid"), 0.1), (3, 4), (3, 2), encoder_weights
    )


def test_losses_are_collected_once(backend: Any) -> None:
    x = asarray(X)
    layer = layers.Dense(3, activity_regularizer="l2")
    with collect_losses() as added:
        y = to_numpy(layer(x))
    assert len(added) == 1
    assert_close(added[0], 0.01 * (y**2).sum() / 6)
    with collect_losses() as none:
        layers.Dense(3)(x)
    assert none == []


def trained(model: Any) -> tuple[float, Any]:
    """The loss that `fit` reports for one step, and the weights after it."""
    model.compile(optimizers.SGD(0.1), "mse")
    history = model.fit(X.astype("float32"), Y.astype("float32"), batch_size=6, epochs=1, shuffle=False, verbose=0)
    return history.history["loss"][0], model.get_weights()


def test_activity_penalty_enters_loss_and_gradient(backend: Any) -> None:
    """The penalty on a linear layer's result equals the same term added to the loss by hand."""
    random.set_seed(1)
    with_layer = models.Sequential([layers.Dense(2), layers.ActivityRegularization(l2=0.5)])
    value, weights = trained(with_layer)

    class Both(losses.MeanSquaredError):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            xp = portanet.autodiff.array_namespace(y_pred)
            return super().call(y_true, y_pred) + 0.5 * xp.sum(y_pred * y_pred, axis=-1)

    random.set_seed(1)
    by_hand = models.Sequential([layers.Dense(2)])
    by_hand.compile(optimizers.SGD(0.1), Both())
    history = by_hand.fit(X.astype("float32"), Y.astype("float32"), batch_size=6, shuffle=False, verbose=0)
    assert value == pytest.approx(history.history["loss"][0], rel=1e-5)
    for ours, expected in zip(weights, by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
    assert with_layer.evaluate(X, Y, verbose=0) == pytest.approx(by_hand.evaluate(X, Y, verbose=0), rel=1e-5)


def test_contractive_autoencoder_is_flatter(backend: Any) -> None:
    def slope(factor: float) -> float:
        random.set_seed(1)
        encoder = layers.Dense(3, "sigmoid")
        model = models.Sequential([layers.ContractiveRegularization(encoder, factor), layers.Dense(4)])
        model.compile(optimizers.SGD(0.3), "mse")
        model.fit(X.astype("float32"), X.astype("float32"), batch_size=6, epochs=20, verbose=0)
        return float(to_numpy(contractive(encoder, asarray(X))[1]))

    assert slope(1.0) < 0.7 * slope(0.0)


def test_weights_take_names_of_regularizers_and_constraints(backend: Any) -> None:
    random.set_seed(1)
    layer = layers.Dense(2, kernel_regularizer="l2", kernel_constraint="unit_norm", bias_constraint="non_neg")
    model = models.Sequential([layer])
    trained(model)
    assert_close(portanet.asarray((to_numpy(layer.kernel.value) ** 2).sum(axis=0)), [1.0, 1.0])
    assert (to_numpy(layer.bias.value) >= 0).all()

    class Scale(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight((1,), "ones", regularizer="l1", constraint="non_neg")

        def call(self, x: Any) -> Any:
            return x * self.factor.value

    scale = Scale()
    scale(asarray(X))
    assert_close(scale.factor.regularizer(scale.factor.value), 0.01)


def options_of(name: str) -> list[str]:
    """The constraints and regularizers that a layer takes for its weights."""
    names: set[str] = set()
    for base in getattr(layers, name).__mro__:
        parameters = inspect.signature(vars(base)["__init__"]).parameters if "__init__" in vars(base) else {}
        names |= {each for each in parameters if each.endswith(("_constraint", "_regularizer"))}
    return sorted(names - {"activity_regularizer"})


OF_WEIGHTS = [
    (name, option)
    for name, kind in vars(layers).items()
    if inspect.isclass(kind) and issubclass(kind, layers.Layer) and not inspect.isabstract(kind)
    for option in (options_of(name) if name != "RecurrentCell" else [])
]


@pytest.mark.parametrize(("name", "option"), OF_WEIGHTS)
def test_every_constraint_and_regularizer_reaches_a_weight(name: str, option: str) -> None:
    kind = getattr(layers, name)
    given: Any = lambda w: w
    required = [p.name for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
    needed = {each: (REQUIRED | {"tiles": 2})[each] for each in required if each in {*REQUIRED, "tiles"}}
    if name == "EinsumDense":
        needed = {"equation": "abc,cd->abd", "output_shape": (None, 2), "bias_axes": "d"}
    layer = kind(**needed, **{option: given})
    rank = int(next(filter(str.isdigit, name), "1"))
    shape = (2, *(6,) * (rank + name.startswith("ConvLSTM")), 32)
    if name.endswith("Cell"):
        layer.build((2, 4))
    elif name.endswith("Embedding") and "input_dim" in needed:
        layer(np.zeros(shape, dtype="int32"))
    elif name == "Bilinear":
        layer([np.ones((2, 4)), np.ones((2, 3))])
    elif name.endswith("Attention"):
        layer(np.ones((2, 3, 4)), np.ones((2, 3, 4)))
    else:
        layer(np.ones(shape))
    stem, _, attribute = option.replace(
        "depthwise", "kernel" if name.startswith("Depthwise") else "depthwise"
    ).rpartition("_")
    reached = [v.path for v in layer.weights if getattr(v, attribute) is given]
    assert reached
    assert all(stem in path for path in reached)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"Unknown regularizer.* of layer '.*Received: .*='l3'"):
        layers.Dense(2, kernel_regularizer="l3")
    with pytest.raises(ValueError, match=r"Unknown constraint.* of layer '.*Received: .*='max'"):
        layers.Dense(2, bias_constraint="max")
    with pytest.raises(ValueError, match=r"Unknown regularizer.* of layer '.*Received: .*='l3'"):
        layers.Flatten(activity_regularizer="l3")
    with pytest.raises(TypeError, match=r"`encoder` .* must be a layer or model. Received: encoder='dense'"):
        layers.ContractiveRegularization("dense")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`factor` .* Received: factor=-1"):
        layers.ContractiveRegularization(layers.Dense(2), -1)
    with pytest.raises(ValueError, match=r"loss of shape \(\).*Received: \(2,\)"):
        layers.Flatten().add_loss(np.ones(2))
