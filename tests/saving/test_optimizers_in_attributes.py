"""Models with several optimizers, such as a GAN, in files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops, optimizers
from portanet.saving import LoadError

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


class Pair(portanet.Model):
    """Two networks that pull apart, each trained by an optimizer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = layers.Dense(2, name="first"), layers.Dense(2, name="second")

    def call(self, x: Any) -> Any:
        return self.first(x)

    def build(self, shape: Any) -> None:
        self.first.build(shape)
        self.second.build(shape)

    def compile(self, optimizer: Any, other: Any) -> None:
        super().compile(optimizer)
        self.other = other

    def get_compile_config(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer, "other": self.other}

    def train_step(self, x: Any) -> dict[str, Any]:
        for sign, layer, optimizer in ((1.0, self.first, self.optimizer), (-1.0, self.second, self.other)):
            loss, gradients = self.value_and_gradients(
                lambda sign=sign: sign * ops.mean(self.first(x) * self.second(x)), layer.trainable_variables
            )
            optimizer.apply(gradients, layer.trainable_variables)
        return {"loss": loss}


def pair(other: Any = None) -> Any:
    portanet.random.set_seed(0)
    model = Pair()
    model.build((None, 3))
    model.compile(optimizers.Adam(0.05), optimizers.RMSprop(0.05, momentum=0.9) if other is None else other)
    return model


def fit(model: Any, epochs: int) -> Any:
    return model.fit(X, batch_size=4, epochs=epochs, shuffle=False, initial_epoch=model.position, verbose=0).history


@pytest.mark.parametrize("way", ["load", "restore"])
def test_training_goes_on_with_both(backend: Any, way: str, tmp_path: Any) -> None:
    whole, model = pair(), pair()
    expected = fit(whole, 4)
    fit(model, 2)
    model.other.learning_rate = 0.01
    model.save(tmp_path / "pair")
    if way == "load":
        again = portanet.load_model(tmp_path / "pair", custom_objects={"Pair": Pair})
    else:
        again = pair()
        portanet.saving.restore(again, tmp_path / "pair")
    assert again.other.learning_rate == 0.01
    again.other.learning_rate = 0.05
    np.testing.assert_allclose(fit(again, 4)["loss"], expected["loss"], rtol=1e-5)
    for one, two in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_the_state_of_another_optimizer_is_refused(tmp_path: Any) -> None:
    model = pair()
    fit(model, 1)
    model.save(tmp_path / "pair")
    with pytest.raises(LoadError, match="its optimizer's state is not that of Adam:"):
        portanet.saving.restore(pair(optimizers.Adam()), tmp_path / "pair")


def test_before_the_first_step_there_is_nothing_to_save(tmp_path: Any) -> None:
    pair().save(tmp_path / "pair")
    again = portanet.load_model(tmp_path / "pair", custom_objects={"Pair": Pair})
    assert fit(again, 1) == fit(pair(), 1)
