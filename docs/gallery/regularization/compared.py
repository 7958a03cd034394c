"""Dropout, L1, L2, noise and early stopping compared
===================================================

The same network learns 200 digits by heart, with wrong labels for one in ten, and again with each of five remedies. The
loss on other digits shows what they bring, and the weights show how they do it.

Source: the articles, "Neural Nets" (F. Tseng), overfitting: L1 and L2 with biases left out, dropout and inverted
dropout, noise added to the input, early stopping.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, plot, regularizers
from portanet.callbacks import EarlyStopping

# %%
# The network
# -----------
# 64 pixels, 100 hidden units, ten classes. L1 and L2 are penalties on the kernel; biases have none, as in the text.
# `Dropout` is the inverted one: what is kept is divided by its share during training, and nothing happens at test time.
# `GaussianNoise` disturbs the input, in training only.


def network(dropout: float = 0.0, noise: float = 0.0, l1: float = 0.0, l2: float = 0.0, units: int = 100) -> Any:
    """A compiled network with any of the remedies."""
    penalty = {"kernel_regularizer": regularizers.L1L2(l1, l2)} if l1 or l2 else {}
    model = portanet.Sequential([layers.Input((64,))])
    if noise:
        model.add(layers.GaussianNoise(noise))
    model.add(layers.Dense(units, activation="relu", **penalty))
    if dropout:
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax", **penalty))
    model.compile(portanet.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


REMEDIES = {
    "none": {},
    "dropout .5": {"dropout": 0.5},
    "L1 .0003": {"l1": 3e-4},
    "L2 .002": {"l2": 2e-3},
    "noise .3": {"noise": 0.3},
    "early stopping": {},
}


def data(examples: int = 200) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Some digits to learn, of which one in ten has a random label, and 500 others."""
    x, y = load_digits(return_X_y=True)
    generator = np.random.default_rng(0)
    x, order = (x / 16).astype("float32"), generator.permutation(len(x))
    labels = y[order[:examples]]
    labels[::10] = generator.integers(0, 10, len(labels[::10]))
    return (x[order[:examples]], labels), (x[order[-500:]], y[order[-500:]])


def loss_of(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The cross-entropy without penalties."""
    return float(-np.log(model.predict(x, verbose=0)[np.arange(len(y)), y] + 1e-7).mean())


def train(name: str, epochs: int = 100, examples: int = 200) -> dict[str, Any]:
    """One remedy: the model, its cross-entropy on both sets every few epochs, and its accuracy at the end."""
    portanet.random.set_seed(0)
    (x, y), other = data(examples)
    model = network(**REMEDIES[name])
    stop = EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    curves: list[list[float]] = []
    show = portanet.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epoch % 4 or curves.append([loss_of(model, x, y), loss_of(model, *other)])
    )
    options = (
        {"validation_data": other, "callbacks": [show, stop]} if name == "early stopping" else {"callbacks": [show]}
    )
    model.fit(x, y, batch_size=25, epochs=epochs, verbose=0, **options)
    return {"model": model, "curves": np.asarray(curves), "accuracy": model.evaluate(*other, verbose=0)[1],
            "loss": loss_of(model, *other)}  # fmt: skip


runs = {name: train(name) for name in REMEDIES}
figure, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained", sharex=True, sharey=True)
for ax, (name, run) in zip(axes.flat, runs.items(), strict=True):
    epochs = 4 * np.arange(len(run["curves"]))
    ax.semilogy(epochs, run["curves"][:, 0], "--", label="learned digits")
    ax.semilogy(epochs, run["curves"][:, 1], label="other digits")
    ax.set_title(name)
axes[0, 0].legend(fontsize="small")
for ax in axes[1]:
    ax.set_xlabel("epoch")

# %%
# Without a remedy, the loss on the learned digits goes to zero, wrong labels and all, while the one on others rises.
# Early stopping ends before. The other four keep the network from learning the wrong labels.
for name, run in runs.items():
    print(f"{name:15} other digits: cross-entropy {run['loss']:.3f}, accuracy {run['accuracy']:.1%}")

# %%
# What happens to the weights
# ---------------------------
# L2 takes a share of each weight at every step: all become small. L1 takes a constant: most become nearly zero, and a
# few stay large.
figure, axes = plt.subplots(1, 4, figsize=(10, 2.6), layout="constrained", sharey=True)
for ax, name in zip(axes, ("none", "L1 .0003", "L2 .002", "dropout .5"), strict=True):
    kernel = runs[name]["model"].get_weights()[0].ravel()
    ax.hist(kernel, bins=np.linspace(-0.6, 0.6, 61), log=True)
    small = np.mean(np.abs(kernel) < 0.01)
    ax.set_title(f"{name}: {small:.0%} below .01", fontsize="small")
    print(f"{name:12} {small:.1%} of the first weights are below .01, their mean square is {np.mean(kernel**2):.4f}")

# %%
# One unit in pictures: the weights of ten hidden units from the pixels. L1 leaves the pixels at the border alone.
rows = [runs[name]["model"].get_weights()[0].T[:10].reshape(-1, 8, 8) for name in ("none", "L1 .0003", "L2 .002")]
plot.images(np.concatenate(rows), ["none"] * 10 + ["L1"] * 10 + ["L2"] * 10, columns=10)
plt.show()
