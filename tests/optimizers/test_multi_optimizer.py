"""Several optimizers for parts of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers, optimizers
from portanet.optimizers import MultiOptimizer, OptimizerMap
from tests.support import asarray, to_numpy

X = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
Y = X[:, :1] * 2 - X[:, 1:2]


def network(optimizer: Any, head: bool = True) -> portanet.Sequential:
    portanet.random.set_seed(3)
    body = layers.Dense(4, "tanh", name="body", trainable=head is not None)
    model = portanet.Sequential([layers.Input((3,)), body, layers.Dense(1, name="head")])
    model.compile(optimizer, "mse")
    return model


def fit(model: portanet.Sequential, epochs: int = 2, start: int = 0, **options: Any) -> portanet.Sequential:
    model.fit(asarray(X), asarray(Y), 4, epochs, verbose=0, shuffle=False, initial_epoch=start, **options)
    return model


def make() -> MultiOptimizer:
    schedule = optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    return MultiOptimizer(OptimizerMap(optimizers.Adam(schedule), {"head/.*": optimizers.SGD(0.1, momentum=0.9)}))


def close(actual: Any, expected: Any) -> None:
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_each_part_is_trained_by_its_own(backend: Any) -> None:
    """Against a step of one's own that applies the two optimizers."""
    both = fit(network(make()))

    class Parts(portanet.Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            body, head = self.layers
            loss, grads = self.value_and_gradients(lambda: self.compute_loss(x, y, self(x, training=True)))
            body_optimizer.apply(grads[:2], body.trainable_weights)
            head_optimizer.apply(grads[2:], head.trainable_weights)
            return {"loss": loss}

    body_optimizer = optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5))
    head_optimizer = optimizers.SGD(0.1, momentum=0.9)
    portanet.random.set_seed(3)
    parts = Parts([layers.Input((3,)), layers.Dense(4, "tanh", name="body"), layers.Dense(1, name="head")])
    parts.compile("sgd", "mse")
    close(both.get_weights(), fit(parts).get_weights())
    counts = [both.optimizer.iterations, *(each.iterations for each in both.optimizer.optimizers)]
    assert [int(to_numpy(count)) for count in counts] == [4, 4, 4]


def test_a_file_resumes_it(backend: Any, tmp_path: Any) -> None:
    model, expected = fit(network(make()), 1), fit(network(make()), 2)
    model.optimizer.optimizers[0].learning_rate = 0.1
    model.save(tmp_path / "m.safetensors")
    loaded = portanet.load_model(tmp_path / "m.safetensors")
    chosen = loaded.optimizer.optimizer_map
    assert [type(chosen["head/bias"]), type(chosen["body/bias"])] == [optimizers.SGD, optimizers.Adam]
    close(fit(loaded, 2, 1).get_weights(), expected.get_weights())


def test_loops_of_ones_own_and_pure_steps(xp: Any) -> None:
    model, sgd = network("sgd"), optimizers.SGD(0.1)
    chosen = MultiOptimizer(lambda variable: sgd if variable.name == "bias" else optimizers.SGD(1.0))
    weights = model.trainable_variables
    chosen.build(weights)
    before, gradients = model.get_weights(), [xp.ones_like(v.value) for v in weights]
    chosen.apply(gradients, weights)
    close(model.get_weights(), [w - (1.0 if w.ndim == 2 else 0.1) for w in before])
    assert [variable.name for variable in chosen.variables] == [
        *("iterations", "0/iterations", "0/learning_rate", "1/iterations", "1/learning_rate"),
        *("2/iterations", "2/learning_rate"),
    ]
    values, state = chosen.stateless_apply([v.value for v in chosen.variables], gradients, [v.value for v in weights])
    close(map(to_numpy, values), [w - (2.0 if w.ndim == 2 else 0.2) for w in before])
    assert int(to_numpy(state[0])) == 2
    chosen.set_weights([np.asarray(0.25) if v.name.endswith("rate") else v.numpy() for v in chosen.variables])
    assert [each.learning_rate for each in chosen.optimizers] == [0.25, 0.25, 0.25]


def test_learning_rates_change_in_training(backend: Any) -> None:
    rates = [optimizers.SGD(0.1), optimizers.SGD(0.01)]
    model = network(MultiOptimizer(OptimizerMap(rates[1], {"head/.*": rates[0]})))
    fit(model, callbacks=[callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)])
    assert [rate.learning_rate for rate in rates] == [0.025, 0.0025]
    reduce = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100.0, min_lr=0.002)
    fit(model, callbacks=[reduce])
    assert [rate.learning_rate for rate in rates] == [0.0125, 0.002]
    for rate in rates:
        rate.learning_rate = 0.0
    before = model.get_weights()
    close(fit(model).get_weights(), before)


def test_averages_and_loss_scales(xp: Any) -> None:
    averaging = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    model = network(MultiOptimizer(OptimizerMap(optimizers.SGD(1.0), {"head/.*": averaging}), loss_scale_factor=8.0))
    assert averaging.loss_scale_factor == 8.0
    single = network(optimizers.SGD(1.0))
    for each in (model, single):
        each.layers[0].trainable = False
        each.compile(each.optimizer, "mse")
    averaged = network(optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5))
    averaged.layers[0].trainable = False
    averaged.compile(averaged.optimizer, "mse")
    close(fit(model).get_weights(), fit(averaged).get_weights())
    inner = optimizers.SGD(0.5)
    scaled = optimizers.LossScaleOptimizer(MultiOptimizer(OptimizerMap(inner)), initial_scale=4.0)
    params, _ = scaled.update({"w": asarray([1.0])}, {"w": asarray([4.0])}, scaled.init({"w": asarray([1.0])}))
    assert to_numpy(params["w"]).tolist() == [0.5]
    variable, averaging = portanet.Variable(asarray([4.0])), MultiOptimizer(OptimizerMap(averaging))
    for _ in range(2):
        averaging.apply([xp.ones_like(variable.value)], [variable])
    averaging.finalize_variable_values([variable])
    assert variable.numpy().tolist() == [2.5]


def test_with_a_loss_scale(backend: Any) -> None:
    several, scaled = make(), optimizers.LossScaleOptimizer(make())
    trained = [fit(network(optimizer)) for optimizer in (several, scaled)]
    names = [variable.name for variable in several.variables]
    assert [variable.name for variable in scaled.variables] == ["iterations", "step_counter", "dynamic_scale", *names]
    close(*(model.get_weights() for model in trained))
    rates = [optimizers.SGD(0.1), optimizers.SGD(0.01)]
    model = network(optimizers.LossScaleOptimizer(MultiOptimizer(OptimizerMap(rates[1], {"head/.*": rates[0]}))))
    fit(model, callbacks=[callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)])
    assert [rate.learning_rate for rate in rates] == [0.025, 0.0025]


def test_what_a_map_holds() -> None:
    sgd, adam = optimizers.SGD(), optimizers.Adam()
    chosen = OptimizerMap(sgd, {"head": adam})
    chosen["body/.*"] = adam
    assert (list(chosen), len(chosen), chosen["head"], chosen["head/kernel"]) == (["head", "body/.*"], 2, adam, sgd)
    assert MultiOptimizer(chosen).optimizers == [adam, sgd]
    del chosen["head"]
    chosen[".*/kernel"] = sgd
    with pytest.raises(ValueError, match=r"several optimizers for 'body/kernel'\. Received: body/\.\*, \.\*/kernel"):
        chosen["body/kernel"]
    with pytest.raises(ValueError, match=r"has an optimizer for '\.\*/kernel' already"):
        chosen[".*/kernel"] = adam
    for wrong in (optimizers.LossScaleOptimizer(sgd), MultiOptimizer(chosen), optimizers.ESGD(), "sgd"):
        with pytest.raises(ValueError, match=r"of MultiOptimizer must be an optimizer.*Received: optimizer="):
            chosen["other"] = wrong  # type: ignore[assignment]
    with pytest.raises(AttributeError, match="its `optimizers` have"):
        MultiOptimizer(chosen).learning_rate  # noqa: B018
    with pytest.raises(AttributeError, match=r"Received: 0\.1"):
        MultiOptimizer(chosen).learning_rate = 0.1


def test_rates_are_one_object_until_one_of_them_changes() -> None:
    """Steps that were made for the rates are kept while these are the same object."""
    optimizer = make()
    rates = optimizer.rates
    assert optimizer.rates is rates
    optimizer.optimizers[0].learning_rate = 0.2
    changed = optimizer.rates
    assert changed is not rates
    assert optimizer.rates is changed
    assert [type(rate) for rate in changed] == [type(rate) for rate in rates]
