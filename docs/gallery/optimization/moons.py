"""Seven optimizers on two moons
================================

A network of 1000 hidden units learns from one example per step, from the same initial weights with each of seven
optimizers: their curves on validation data, and their boundaries.

Source: Ketkar, listings 8-1 to 8-4 (figures 8-10 to 8-14).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

import portanet
from portanet import layers, plot
from portanet.initializers import RandomNormal
from portanet.regularizers import L2

# %%
# 8-1 and 8-2: data and network
# -----------------------------
# 5000 points with noise 0.1; the last 1000 are for validation. The loss is the cross-entropy plus 0.005 times the
# squares of all weights, which are drawn from the standard normal distribution.

DATA = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def moons(examples: int = 5000, validation: int = 1000, seed: int = 0) -> DATA:
    """Points and classes for training, and for validation."""
    x, y = make_moons(examples, noise=0.1, random_state=seed)
    x, cut = x.astype("float32"), examples - validation
    return x[:cut], y[:cut], x[cut:], y[cut:]


def network(units: int = 1000, seed: int = 0) -> Any:
    """A hidden layer of tanh and a softmax, with the book's weights and penalty."""
    portanet.random.set_seed(seed)
    options = {"kernel_initializer": RandomNormal(stddev=1.0), "kernel_regularizer": L2(0.005)}
    return portanet.Sequential(
        [layers.Input((2,)), layers.Dense(units, "tanh", **options), layers.Dense(2, "softmax", **options)]
    )


# %%
# Training, one example per step
# ------------------------------
# The validation loss is computed every `every` steps only; the book does so after each, which takes most of the time.
# Losses are without the penalty, which is about 20 with these weights and would hide everything else.


def train(
    optimizer: Any, data: DATA, steps: int, every: int, units: int = 1000
) -> tuple[Any, list[float], list[float], list[float]]:
    """The model after these steps; its training loss, validation loss and validation accuracy every `every` steps."""
    x, y, new_x, new_y = data
    generator = np.random.default_rng(0)
    order = np.concatenate([generator.permutation(len(x)) for _ in range(-(-steps // len(x)))])[:steps]
    model = network(units)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["sparse_categorical_crossentropy", "accuracy"])
    training, losses, accuracies = [], [], []
    for start in range(0, steps, every):
        part = order[start : start + every]
        _, loss, accuracy = model.evaluate(new_x, new_y, batch_size=len(new_x), verbose=0)
        history = model.fit(x[part], y[part], batch_size=1, shuffle=False, verbose=0).history
        training.append(history["sparse_categorical_crossentropy"][0])
        losses.append(loss)
        accuracies.append(accuracy)
    return model, training, losses, accuracies


# %%
# 8-4: seven optimizers, 1000 steps
# ---------------------------------
# Each with the default arguments, as in the book. Nesterov's momentum ("nag") is `SGD` with two arguments.


def optimizers() -> dict[str, Any]:
    """The book's seven, by its names."""
    of = portanet.optimizers
    return {
        "adadelta": of.Adadelta(),
        "adagrad": of.Adagrad(),
        "adam": of.Adam(),
        "nag": of.SGD(0.01, momentum=0.9, nesterov=True),
        "rmsprop": of.RMSprop(),
        "rprop": of.Rprop(),
        "sgd": of.SGD(),
    }


def compare(data: DATA, steps: int = 1000, every: int = 50, units: int = 1000) -> dict[str, Any]:
    """What `train` returns for each optimizer."""
    return {name: train(optimizer, data, steps, every, units) for name, optimizer in optimizers().items()}


data = moons()
results = compare(data)
figure, ax = plt.subplots(figsize=(7, 4))
for name, (_, _, losses, _) in results.items():
    ax.semilogy(np.arange(len(losses)) * 50, losses, label=name)
ax.set(xlabel="step", ylabel="validation loss without penalty")
ax.legend()

# %%
# Curves of single examples are rough. SGD and Adam come far; Adadelta's default rate of 0.001 is Keras's, and far too
# small for 1000 steps; Nesterov's momentum multiplies the rate of SGD by ten, which is too much here; Rprop, which
# looks only at signs, is made for full batches. What each has learned after its 1000 steps:
figure, axes = plt.subplots(2, 4, figsize=(12, 6), layout="constrained", sharex=True, sharey=True)
for ax, (name, (model, _, losses, _)) in zip(axes.flat, results.items(), strict=False):
    plot.decision_boundary(model, data[2], data[3], resolution=60, ax=ax)
    ax.get_legend().remove()
    accuracy = float(np.mean(model.predict(data[2]).argmax(axis=1) == data[3]))
    ax.set(title=f"{name}: {accuracy:.1%}")
    print(f"{name:9} validation loss {losses[0]:.3f} to {losses[-1]:.3f}, accuracy {accuracy:.3f}")
axes[-1, -1].axis("off")

# %%
# 8-3: 10,000 steps of plain SGD
# ------------------------------
# The boundary on the training points (figure 8-11) and on the validation points (8-12), and both losses (8-13). The
# training loss is the mean over the examples between two validations.


def sgd(data: DATA, steps: int = 10_000, every: int = 250, units: int = 1000) -> Any:
    """What `train` returns for SGD with the default rate."""
    return train(portanet.optimizers.SGD(), data, steps, every, units)


model, training, losses, accuracies = sgd(data)
figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
plot.decision_boundary(model, data[0], data[1], resolution=80, ax=axes[0])
plot.decision_boundary(model, data[2], data[3], resolution=80, ax=axes[1])
axes[0].set(title="training points")
axes[1].set(title="validation points")
axes[2].semilogy(np.arange(len(training)) * 250, training, label="training")
axes[2].semilogy(np.arange(len(losses)) * 250, losses, label="validation")
axes[2].set(xlabel="step", ylabel="loss without penalty")
axes[2].legend()

# %%
# The best classifier is there after some 3000 steps. Then the losses rise again: the penalty goes on shrinking the
# weights, and with smaller weights the network is less sure. The sum of both, which is what SGD minimises, falls all
# the time, from 20 to 3.
print(f"validation loss {losses[0]:.3f} to {losses[-1]:.3f}, accuracy {accuracies[0]:.3f} to {accuracies[-1]:.3f}")
plt.show()
