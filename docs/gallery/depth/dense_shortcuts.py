r"""Thirty layers: plain, highway, residual, pre-activation
=======================================================

More layers should not make a network worse. Plain ones they do: behind 30 layers hardly any gradient is left. With a
shortcut around each layer, 30 are as easy as 3.

Source: Shanahan, act 5: "Highway Network", "Backpropagation with skip connection", "PlainNets vs. ResNets",
"no-activation works better", and the homework: "report results on different network depths".
"""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers


def digits() -> tuple[Any, Any]:
    """1,400 digits for training and 397 for testing, 64 pixels from 0 to 1, with their classes."""
    data = load_digits()
    x, y = (data.data / 16).astype("float32"), data.target.astype("int32")
    return (x[:1400], y[:1400]), (x[1400:], y[1400:])


# %%
# Four blocks
# -----------
# `Highway` computes :math:`H(x)\,T(x) + x\,(1 - T(x))`; the bias of the gate T starts negative, so at first it carries.
# A residual block adds its input: :math:`F(x) + x`. The pre-activation variant has all layers in F: nothing stands in
# the way of the shortcut, not even an activation.


def plain(x: Any, units: int) -> Any:
    """Two layers, no shortcut."""
    return layers.Dense(units, "relu")(layers.Dense(units, "relu")(x))


def highway(x: Any, units: int) -> Any:
    """Two highway layers (Srivastava et al. 2015)."""
    return layers.Highway("relu", carry_bias=-2.0)(layers.Highway("relu", carry_bias=-2.0)(x))


def residual(x: Any, units: int) -> Any:
    """F(x) + x (He et al. 2015), normalised before the activation."""
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Dense(units)(x)))
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Dense(units)(y)) + x)


def pre_activation(x: Any, units: int) -> Any:
    """X + F(x) with all layers in F (He et al. 2016): the shortcut is an identity."""
    y = x
    for _ in range(2):
        y = layers.Dense(units)(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y)))
    return x + y


BLOCKS = (plain, highway, residual, pre_activation)


def network(block: Callable[[Any, int], Any], depth: int, units: int = 32, features: int = 64) -> portanet.Model:
    """A compiled classifier of ten classes with so many hidden layers, two in each block."""
    portanet.random.set_seed(0)
    pixels = layers.Input((features,))
    x = layers.Dense(units, "relu")(pixels)
    for _ in range(depth // 2):
        x = block(x, units)
    model = portanet.Model(pixels, layers.Dense(10, "softmax")(x), name=block.__name__)
    model.compile(portanet.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def accuracy(
    block: Callable[[Any, int], Any], depth: int, train: Any, test: Any, epochs: int = 6
) -> tuple[list[float], float]:
    """The loss in each epoch, and the accuracy on test data."""
    model = network(block, depth, features=train[0].shape[1])
    history = model.fit(*train, epochs=epochs, batch_size=64, verbose=0)
    return history.history["loss"], float(model.evaluate(*test, verbose=0)[1])


train, test = digits()
results = {(block.__name__, depth): accuracy(block, depth, train, test) for block in BLOCKS for depth in (4, 12, 30)}
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for block in BLOCKS:
    name = block.__name__
    axes[0].plot((4, 12, 30), [results[name, depth][1] for depth in (4, 12, 30)], "o-", label=name)
    axes[1].plot(range(1, 7), results[name, 30][0], "o-", label=name)
axes[0].set(xlabel="hidden layers", ylabel="test accuracy", ylim=(0, 1))
axes[1].set(xlabel="epoch", ylabel="training loss, 30 layers")
axes[0].legend()

# %%
# Left: with 4 layers all are good. With 30, the plain network is the worst. Right: it is the training loss that
# suffers, so this is not overfitting: the network cannot be trained.
print("test accuracy   " + "".join(f"{depth:>4} layers" for depth in (4, 12, 30)))
for block in BLOCKS:
    print(f"{block.__name__:15}" + "".join(f"{results[block.__name__, depth][1]:11.3f}" for depth in (4, 12, 30)))


# %%
# Where the gradient gets lost
# ----------------------------
# Before training, one step of plain gradient descent shows how long the gradient is that reaches each layer. In the
# plain network it is a thousand times shorter than in the highway, in all layers alike: the signal fades on the way
# forward, and the error on the way back. A gradient is the product of both. Batch normalisation keeps the signal of the
# residual networks large.


def gradients(block: Callable[[Any, int], Any], depth: int, x: np.ndarray, y: np.ndarray) -> list[float]:
    """The length of the gradient of each matrix, from the first layer to the last."""
    model = network(block, depth, features=x.shape[1])
    model.compile(portanet.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    before = {v.path: portanet.to_host(v.value).copy() for v in model.trainable_weights}
    model.train_on_batch(x, y)
    return [
        float(np.linalg.norm(portanet.to_host(v.value) - before[v.path]))
        for v in model.trainable_weights
        if v.path.endswith("kernel") and "gate" not in v.path
    ]


figure, ax = plt.subplots(figsize=(7, 4))
for block in BLOCKS:
    ax.semilogy(gradients(block, 30, *train), ".-", label=block.__name__)
ax.set(xlabel="layer, from the input to the output", ylabel="length of the gradient")
ax.legend()
plt.show()
