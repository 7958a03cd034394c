"""The same script on every array library, with one curve
=======================================================

A network is trained with NumPy, PyTorch, JAX, MLX and array-api-strict, whichever are installed. One line of the script
changes. The curves lie on top of each other: first weights, order of examples and dropout are the same everywhere.

Beyond the documents. The second plot shows what is left: rounding.
"""

import time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers

# %%
# The script
# ----------
# Nothing in it names an array library.


def train(epochs: int = 5, examples: int = 1000) -> dict[str, Any]:
    """Train a small convolutional network on digits; its losses, and the seconds that it took."""
    portanet.random.set_seed(0)
    x, y = load_digits(return_X_y=True)
    x = (x[:examples].reshape(-1, 8, 8, 1) / 16).astype("float32")
    model = portanet.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(portanet.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(x, y[:examples], batch_size=50, epochs=epochs, verbose=0)
    return {"loss": history.history["loss"], "seconds": time.perf_counter() - start}


# %%
# The one line that changes
# -------------------------
# `set_backend("torch")` at the start of a script, or the environment variable `PORTANET_BACKEND=torch`. Here,
# `use_backend` chooses for a block of lines.


def on_every_backend(names: list[str], epochs: int = 5, examples: int = 1000) -> dict[str, dict[str, Any]]:
    """`train` with each backend."""
    runs = {}
    for name in names:
        with portanet.use_backend(name):
            runs[name] = train(epochs, examples)
    return runs


FIVE = ("numpy", "torch", "jax", "mlx", "strict")
found = [name for name, problem in portanet.available_backends().items() if name in FIVE and problem is None]
print("installed here:", ", ".join(found), "- not here:", ", ".join(sorted(set(FIVE) - set(found))) or "none")
runs = on_every_backend(found)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
reference = np.asarray(runs["numpy"]["loss"])
for width, (name, run) in zip(range(2 * len(runs), 0, -2), runs.items(), strict=True):
    epochs = np.arange(1, len(run["loss"]) + 1)
    axes[0].plot(epochs, run["loss"], linewidth=width, label=name)
    if name != "numpy":
        axes[1].semilogy(epochs, np.abs(run["loss"] - reference) / reference + 1e-9, "o-", label=name)
axes[0].set(xlabel="epoch", ylabel="loss", title="one curve")
axes[1].set(xlabel="epoch", title="relative distance to NumPy", ylim=(1e-9, 1))
for ax in axes:
    ax.legend()

# %%
# On the left, wide lines show behind narrow ones. On the right, the distance is that of single precision, seven digits,
# and grows a little as training goes on. Times are those of this machine, with compilation where there is any; they say
# little of larger networks.
for name, run in runs.items():
    print(f"{name:7} loss {run['loss'][-1]:.6f}, {run['seconds']:.1f} s")
plt.show()
