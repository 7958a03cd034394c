"""Tasks that need memory, and the cliff in the loss at which training without clipping fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers
from portanet.autodiff import value_and_grad
from portanet.variables import bind


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_sums_of_sequences_of_different_lengths(kind: str) -> None:
    def sums(seed: int) -> tuple[Any, Any]:
        rng = np.random.default_rng(seed)
        shown = np.arange(10) < rng.integers(1, 11, 512)[:, None]
        x = np.where(shown, rng.uniform(0.1, 1, (512, 10)), 0).astype("float32")
        return x[..., None], x.sum(axis=1, keepdims=True)

    portanet.random.set_seed(0)
    recurrent = getattr(layers, kind)(16)
    model = portanet.Sequential([layers.Input((10, 1)), layers.Masking(), recurrent, layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse")
    model.fit(*sums(1), batch_size=32, epochs=25, verbose=0)
    x, y = sums(2)
    assert model.evaluate(x, y, verbose=0) < 0.01 * y.var()


def test_timer() -> None:
    """After a spike of the first input, the output is 0.5 for as long as the second input then specified."""

    def timers(seed: int, count: int = 512, steps: int = 25, longest: int = 15) -> tuple[Any, Any]:
        rng = np.random.default_rng(seed)
        times, start = np.arange(steps), rng.integers(0, 10, (count, 1))
        duration = rng.integers(1, 11, (count, 1)) / 10
        switch = (times == start).astype("float32")
        length = np.broadcast_to(duration, (count, steps)).astype("float32")
        wanted = (times >= start) & (times < start + longest * duration)
        return np.stack([switch, length], axis=-1), 0.5 * wanted[..., None].astype("float32")

    portanet.random.set_seed(0)
    model = portanet.Sequential([layers.Input((25, 2)), layers.GRU(24, return_sequences=True), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01, clipnorm=1.0), "mse")
    model.fit(*timers(1), batch_size=32, epochs=30, verbose=0)
    x, y = timers(2)
    right = (model.predict(x) > 0.25) == (y > 0.25)
    assert right.mean() > 0.97
    assert y.mean() < 0.4  # so that "on" or "off" throughout would be far worse


def test_the_cliff_of_a_recurrent_unit_and_clipping() -> None:
    """A self-connected unit must reach 0.7 after 50 steps; its error surface is flat except for a cliff."""
    layer = layers.SimpleRNN(1, activation="sigmoid", dtype="float64")
    x = np.zeros((1, 50, 1))
    layer.build(x.shape)
    weight, bias = layer.cell.recurrent_kernel, layer.cell.bias

    def error(values: Any) -> Any:
        with bind({weight: values["w"], bias: values["b"]}):
            return (layer(x)[0, 0] - 0.7) ** 2

    def point(w: float, b: float) -> dict[str, Any]:
        return {"w": np.full((1, 1), w), "b": np.full((1,), b)}

    def slope(w: float, b: float) -> float:
        result = value_and_grad(error)(point(w, b))[1]
        return float(np.sqrt(sum((g**2).sum() for g in result.values())))

    # At w = 5 the bias determines whether the unit stays low or goes high.
    places = np.linspace(-4, -0.5, 351)
    slopes = np.asarray([slope(5.0, b) for b in places])
    cliff = float(places[slopes.argmax()])
    assert slopes.max() > 100 * np.median(slopes)

    def descend(optimizer: Any) -> tuple[float, float]:
        params = point(5.0, cliff)
        state = optimizer.init(params)
        far = 0.0
        for _ in range(300):
            params, state = optimizer.update(params, value_and_grad(error)(params)[1], state)
            far = max(far, abs(float(params["b"][0]) - cliff))
        return far, float(error(params))

    far, left = descend(optimizers.SGD(0.2))
    near, left_clipped = descend(optimizers.SGD(0.2, global_clipnorm=0.5))
    assert far > 3 * near
    assert left_clipped < 1e-3
    assert left > 10 * left_clipped
