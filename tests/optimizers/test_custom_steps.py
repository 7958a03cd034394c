"""Optimizers with `update_step`, as Keras's users write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops, optimizers
from tests.support import asarray, assert_close, to_numpy


class Momentum(optimizers.Optimizer):
    """SGD with momentum, and a number of its own: half of the step counted twice."""

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, name: str = "mine", **options: Any) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **options)
        self.momentum = momentum

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.velocities = []
        for variable in variables:
            self.velocities.append(self.add_variable_from_reference(variable, name="velocity"))
        self.updates = self.add_variable((), name="updates", dtype="float32")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.velocities[self._get_variable_index(variable)]
        self.assign(velocity, ops.subtract(ops.multiply(velocity, self.momentum), gradient * learning_rate))
        self.assign_add(variable, velocity)
        self.assign_add(self.updates, ops.cast(self.iterations + 1, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


X = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
Y = X[:, :1] * 2 - X[:, 1:2]


def network(optimizer: Any) -> portanet.Sequential:
    portanet.random.set_seed(3)
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def fitted(optimizer: Any, epochs: int = 2) -> portanet.Sequential:
    model = network(optimizer)
    model.fit(asarray(X), asarray(Y), batch_size=4, epochs=epochs, verbose=0, shuffle=False)
    return model


OPTIONS: list[dict[str, Any]] = [
    {"momentum": 0.9},
    {"momentum": 0.5, "weight_decay": 0.1, "global_clipnorm": 0.1},
    {"momentum": 0.9, "learning_rate": optimizers.schedules.ExponentialDecay(0.2, 2, 0.5), "use_ema": True},
    {"momentum": 0.9, "gradient_noise": 0.1, "name": "sgd"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_fit_is_that_of_the_built_in_one(backend: Any, options: dict[str, Any]) -> None:
    options = {"learning_rate": 0.1, **options}
    expected = fitted(optimizers.SGD(**options)).get_weights()
    for actual, wanted in zip(fitted(Momentum(**options)).get_weights(), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=1e-6)


def test_a_file_resumes_it(backend: Any, tmp_path: Any) -> None:
    model, expected = fitted(Momentum(0.1, 0.9), 1), fitted(Momentum(0.1, 0.9), 2)
    model.save(tmp_path / "m.safetensors")
    with portanet.saving.custom_object_scope({"Momentum": Momentum}):
        loaded = portanet.load_model(tmp_path / "m.safetensors")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert float(to_numpy(loaded.optimizer_state[1]["updates"])) == 4 * (1 + 2)
    loaded.fit(asarray(X), asarray(Y), batch_size=4, epochs=2, initial_epoch=1, verbose=0, shuffle=False)
    for actual, wanted in zip(loaded.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-6)


def test_loops_of_ones_own(xp: Any) -> None:
    ours, theirs = (network("sgd") for _ in range(2))
    mine, sgd = Momentum(0.1, 0.9), optimizers.SGD(0.1, 0.9)
    mine.build(ours.trainable_variables)
    mine.build(ours.trainable_variables)
    assert mine.built
    names = [variable.name.rpartition("_")[2] for variable in mine.variables]
    assert names == ["iterations", "rate", *["velocity"] * 4, "updates"]
    for model, optimizer in ((ours, mine), (theirs, sgd)):
        for scale in (1.0, -2.0):
            gradients = [xp.ones_like(v.value) * scale for v in model.trainable_variables]
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert int(to_numpy(mine.iterations)) == 2
    values, state = mine.stateless_apply(
        [v.value for v in mine.variables],
        [xp.zeros_like(v.value) for v in ours.trainable_variables],
        [v.value for v in ours.trainable_variables],
    )
    assert [int(to_numpy(state[0])), float(to_numpy(state[-1]))] == [3, 4 * (1 + 2 + 3)]
    velocity = dict(zip(names, mine.variables, strict=True))["velocity"].numpy()
    np.testing.assert_allclose(to_numpy(values[3]) - ours.get_weights()[3], 0.9 * velocity, rtol=1e-5)


def test_variables_after_fit(backend: Any) -> None:
    optimizer = fitted(optimizers.SGD(0.1, momentum=0.9)).optimizer
    assert (len(optimizer.variables), int(to_numpy(optimizer.iterations))) == (2 + 4, 4)
    assert optimizer.variables[2].numpy().any()


def test_several_names_and_names_twice() -> None:
    variable = portanet.Variable(np.ones(2, dtype="float32"))
    optimizer = Momentum()
    first, second = optimizer.add_optimizer_variables([variable], ["m", "v"], ["zeros", "ones"])
    assert [first[0].numpy().tolist(), second[0].numpy().tolist()] == [[0, 0], [1, 1]]
    optimizer.add_variable_from_reference(variable, "m")
    optimizer.add_variable((2,), name="iterations")
    assert list(optimizer._own) == ["m", "v", "m_1", "iterations_1"]
    with pytest.raises(ValueError, match=r"`reference_variable` of Momentum must be a variable. Received"):
        optimizer.add_variable_from_reference(np.ones(2))  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="Optimizer does not implement update_step"):
        optimizers.Optimizer(0.1).update_step(variable.value, variable, variable.value)


def test_the_learning_rate_as_a_variable(backend: Any) -> None:
    model = network(optimizers.SGD(0.5))
    rate = model.optimizer.learning_rate
    assert (rate, rate.numpy().dtype.name, type(model.optimizer.get_config()["learning_rate"])) == (
        0.5,
        "float32",
        float,
    )
    assert_close(rate.value, 0.5)
    rate.assign(asarray(0.0))
    before = model.get_weights()
    model.fit(asarray(X), asarray(Y), verbose=0)
    assert model.optimizer.learning_rate == 0.0
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_averages_at_the_end_of_a_loop(xp: Any) -> None:
    variable, optimizer = portanet.Variable(asarray([4.0])), optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply([xp.ones_like(variable.value)], [variable])
    optimizer.finalize_variable_values([variable])
    assert variable.numpy().tolist() == [2.5]
    clipped = optimizers.SGD(clipnorm=1.0)._clip_gradients([asarray([3.0, 4.0]), None])
    np.testing.assert_allclose(to_numpy(clipped[0]), [0.6, 0.8], rtol=1e-6)
