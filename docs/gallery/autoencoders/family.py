r"""One picture through six autoencoders: linear, deep, sparse, denoising, contractive, tied
========================================================================================

All of them compress digits of 64 pixels. They differ in what else they want of the code: few active units, the same
code for a spoilt picture, a code that hardly moves, or one matrix for both ways.

Source: Shanahan, act 3: "Linear Autoencoder (PCA)", "Autoencoder: topics covered here" (sparse, deep, denoising),
"Tying weights", "Visualizing the extracted features".
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, plot, regularizers


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,500 digits for training and 297 for testing, 64 pixels from 0 to 1."""
    x = (load_digits().data / 16).astype("float32")
    return x[:1500], x[1500:]


def spoilt(x: np.ndarray, rate: float = 0.3, seed: int = 0) -> np.ndarray:
    """The same pictures with a part of the pixels set to 0."""
    return x * (np.random.default_rng(seed).random(x.shape) > rate)


# %%
# The encoders
# ------------
# - **linear**: no activation. The best it can do is the subspace of principal component analysis.
# - **deep**: two layers each way.
# - **sparse**: a penalty on the sum of absolute values of the code.
# - **denoising**: in each epoch the pictures get new holes, while the targets are whole.
# - **contractive**: a penalty on the derivative of the code, its Jacobian matrix, by `ContractiveRegularization`.
# - **tied**: `TiedDense` decodes with the transposed kernel of the encoder.

KINDS = ("linear", "deep", "sparse", "denoising", "contractive", "tied")


def encoded(kind: str, pixels: Any, units: int) -> tuple[Any, layers.Dense]:
    """The code of a kind of autoencoder, and the layer whose weights are its features."""
    activation = {"linear": None, "contractive": "sigmoid"}.get(kind, "relu")
    penalty = regularizers.L1(1e-3) if kind == "sparse" else None
    first = layers.Dense(units, activation, activity_regularizer=penalty, name="encoder")
    if kind == "deep":
        first = layers.Dense(2 * units, "relu", name="encoder")
        return layers.Dense(units, "relu")(first(pixels)), first
    if kind == "contractive":
        return layers.ContractiveRegularization(first, 1e-3)(pixels), first
    return first(pixels), first


def build(kind: str, units: int = 16) -> tuple[portanet.Model, portanet.Model, layers.Dense]:
    """The compiled autoencoder, its encoder, and the layer of features."""
    portanet.random.set_seed(0)
    pixels = layers.Input((64,))
    code, first = encoded(kind, pixels, units)
    if kind == "tied":
        out = layers.TiedDense(first)(code)
    else:
        out = layers.Dense(64)(layers.Dense(2 * units, "relu")(code) if kind == "deep" else code)
    model = portanet.Model(pixels, out, name=kind)
    model.compile(portanet.optimizers.Adam(0.005), "mse")
    return model, portanet.Model(pixels, code), first


def train(kind: str, x: np.ndarray, units: int = 16, epochs: int = 25) -> tuple[portanet.Model, portanet.Model, Any]:
    """As `build`, after training."""
    model, encoder, first = build(kind, units)
    for epoch in range(epochs):
        model.fit(spoilt(x, seed=epoch + 1) if kind == "denoising" else x, x, batch_size=64, verbose=0)
    return model, encoder, first


x, x_test = digits()
trained = {kind: train(kind, x) for kind in KINDS}
shown = x_test[:8]
rows = [("digits", shown), ("spoilt", spoilt(shown))]
rows += [(kind, model.predict(spoilt(shown), verbose=0)) for kind, (model, _, _) in trained.items()]
figure, axes = plt.subplots(len(rows), 8, figsize=(7, 7), layout="constrained")
for row, (name, pictures) in zip(axes, rows, strict=True):
    plot.images(np.clip(pictures, 0, 1).reshape(-1, 8, 8), axes=row)
    row[0].set_title(name, loc="left")

# %%
# Each row is what an autoencoder makes of the spoilt digits in the second row. The denoising one has learned to fill in
# the missing pixels; the others make grey of them, more or less.


def error(model: portanet.Model, x: np.ndarray, target: np.ndarray) -> float:
    """The mean squared error of reconstructions."""
    return float(np.mean((model.predict(x, verbose=0) - target) ** 2))


def component_error(x: np.ndarray, x_test: np.ndarray, units: int = 16) -> float:
    """The mean squared error of as many principal components."""
    mean = x.mean(axis=0)
    components = np.linalg.svd(x - mean, full_matrices=False)[2][:units]
    return float(np.mean(((x_test - mean) @ components.T @ components + mean - x_test) ** 2))


print("                 test error   of spoilt digits   active units   weights")
for kind, (model, encoder, _) in trained.items():
    codes = encoder.predict(x_test, verbose=0)
    print(
        f"{kind:15} {error(model, x_test, x_test):11.4f} {error(model, spoilt(x_test), x_test):18.4f} "
        f"{np.mean(np.abs(codes) > 0.05):13.0%} {model.count_params():11,}"
    )
print(f"{'PCA':15} {component_error(x, x_test):11.4f}")

# %%
# The linear one is close to PCA, which no linear one can beat on the training digits. The tied one has half of the
# weights and is nearly as good. The denoising one is the best for spoilt digits, the contractive one comes next: for
# both, a small change of the picture shall change little.
#
# What the units look for
# -----------------------
# The weights of a unit are a picture too. Those of the denoising and the sparse autoencoder look for strokes and blots;
# those of the linear one are waves over the whole square.
figure, axes = plt.subplots(3, 12, figsize=(9, 2.8), layout="constrained")
for row, kind in zip(axes, ("linear", "sparse", "denoising"), strict=True):
    kernel = portanet.to_host(trained[kind][2].kernel.value)
    strongest = np.argsort(-np.sum(kernel**2, axis=0))[:12]
    plot.images(kernel.T[strongest].reshape(-1, 8, 8), axes=row)
    row[0].set_title(kind, loc="left")

# %%
# A code that hardly moves
# ------------------------
# The contractive autoencoder pays for the derivative of its code. So its code moves less than others when a pixel
# changes a little.


def movement(encoder: portanet.Model, x: np.ndarray, step: float = 0.01) -> float:
    """How far the code goes, per change of the picture."""
    direction = np.random.default_rng(0).standard_normal(x.shape).astype("float32")
    moved = encoder.predict(x + step * direction, verbose=0) - encoder.predict(x, verbose=0)
    return float(np.linalg.norm(moved) / (step * np.linalg.norm(direction)))


def contraction(x: np.ndarray, factors: tuple[float, ...] = (0.0, 1e-3, 1e-2), epochs: int = 6) -> list[float]:
    """The movement of codes for several weights of the penalty."""
    result = []
    for factor in factors:
        model, encoder, _ = build("contractive")
        next(layer for layer in model.layers if hasattr(layer, "factor")).factor = factor
        model.fit(x, x, epochs=epochs, batch_size=64, verbose=0)
        result.append(movement(encoder, x[:200]))
    return result


for factor, moved in zip((0, 1e-3, 1e-2), contraction(x), strict=True):
    print(f"penalty {factor:5}: the code moves by {moved:.3f} for a change of 1")
plt.show()
