"""A two-layer network from scratch, on noise
==========================================

100 inputs, 10 hidden units, one output, tanh throughout, trained with one example after the other. Inputs and targets
are random, so there is nothing to find; the network memorises a part all the same.

Source: Ketkar, listing 3-1 (figure 3-10).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, value_and_grad

# %%
# The data and the first weights
# ------------------------------


def data(examples: int = 1000, features: int = 100, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Inputs, targets and first weights: standard normal, and weights from 0 to 1, as in the book."""
    generator = np.random.default_rng(seed)
    x, y = generator.standard_normal((examples, features)), generator.standard_normal((examples, 1))
    weights = [generator.random((features, 10)), generator.random(10), generator.random((10, 1)), np.zeros(1)]
    return x, y, weights


# %%
# With a model
# ------------
# The book's loop is `fit` with batches of one example. The loss is printed as "RMSE" in the book, but is the mean of
# the squares.


def model_of(weights: list[np.ndarray]) -> Any:
    """The network with these weights, ready to train."""
    model = portanet.Sequential([layers.Input((len(weights[0]),)), layers.Dense(10, "tanh"), layers.Dense(1, "tanh")])
    model.set_weights(weights)
    model.compile(portanet.optimizers.SGD(0.01), "mse")
    return model


def train(epochs: int = 10, examples: int = 1000) -> list[float]:
    """The mean square before training and after each epoch."""
    x, y, weights = data(examples)
    model = model_of(weights)
    losses = [model.evaluate(x, y, verbose=0)]
    for _ in range(epochs):
        model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
        losses.append(model.evaluate(x, y, verbose=0))
    return losses


losses = train()
figure, ax = plt.subplots(figsize=(6, 3.5))
ax.plot(losses, "o-")
ax.set(xlabel="epoch", ylabel="mean square", ylim=(0, None))

# %%
# The book goes from 1.882 to 0.740. The first epoch does most of it: large positive weights saturate the units, and
# their outputs fall back towards 0. An answer of 0 everywhere would have a mean square of 1, the variance of the
# targets; what is below 1 is memorised noise.
print(f"before training {losses[0]:.3f}, after {losses[-1]:.3f}")

# %%
# From scratch
# ------------
# The book writes the network as a function of its weights, and lets Autograd differentiate it. Here is the same with
# `value_and_grad`. One step agrees with `train_on_batch`.


def network(weights: list[Any], x: Any) -> Any:
    """The output of the network, written out."""
    first, first_bias, second, second_bias = weights
    xp = array_namespace(first)
    return xp.tanh(xp.matmul(xp.tanh(xp.matmul(x, first) + first_bias), second) + second_bias)


def step(weights: list[Any], x: Any, y: Any, rate: float = 0.01) -> tuple[float, list[Any]]:
    """The squared error of one example, and the weights after one step."""

    def objective(weights: list[Any]) -> Any:
        return array_namespace(weights[0]).sum((y - network(weights, x)) ** 2)

    loss, gradient = value_and_grad(objective)(weights)
    return float(loss), [w - rate * g for w, g in zip(weights, gradient, strict=True)]


def difference_of_one_step() -> float:
    """The largest difference between a weight after `step` and after a step of the model."""
    x, y, weights = data()
    _, ours = step([portanet.asarray(w) for w in weights], portanet.asarray(x[:1]), portanet.asarray(y[:1]))
    model = model_of(weights)
    model.train_on_batch(x[:1], y[:1])
    return max(float(np.max(np.abs(portanet.to_host(a) - b))) for a, b in zip(ours, model.get_weights(), strict=True))


print(f"largest difference after one step: {difference_of_one_step():.1e}")
plt.show()
