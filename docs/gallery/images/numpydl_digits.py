"""NumPyDL's script for digits, and the same in portanet
======================================================

A network of 64, 500 and 10 units learns scikit-learn's digits. The script of NumPyDL runs through `compat` with only
its import changed; a portanet model with the same weights takes the same steps.

Source: NumpyDL, `examples/mlp-digits.py`, and its documentation, 3.4.1 and 3.5.1.
"""

import io
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
import portanet.compat.numpydl as npdl
from portanet import layers, plot
from portanet.utils import to_categorical

# %%
# In portanet
# -----------
# ===========================================  ==========================================================
# NumpyDL (`portanet.compat.numpydl`)          portanet
# ===========================================  ==========================================================
# ``Dense(n_out=500, n_in=64, activation=)``   ``Input((64,))``, ``Dense(500, activation=)``
# ``Softmax(n_out=10)``                        ``Dense(10, activation="softmax")``
# ``objectives.SCCE()``                        ``losses.CategoricalCrossentropy(reduction="sum")``
# ``utils.data.one_hot(labels)``               ``utils.to_categorical(labels)``
# ``fit(X, Y, max_iter=150)``                  ``fit(x, y, epochs=150, batch_size=64)``
# ===========================================  ==========================================================
#
# The rates of NumpyDL belong to sums over the examples of a batch, therefore `reduction="sum"`.


def data() -> tuple[np.ndarray, np.ndarray]:
    """The digits as rows of numbers from 0 to 1, and one-hot rows."""
    digits = load_digits()
    return (digits.data / digits.data.max()).astype("float32"), to_categorical(digits.target, 10)


def network(units: int = 500, seed: int = 1234) -> Any:
    """The model, ready to train with the rate of the script."""
    portanet.random.set_seed(seed)
    model = portanet.Sequential(
        [layers.Input((64,)), layers.Dense(units, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    loss = portanet.losses.CategoricalCrossentropy(reduction="sum")
    model.compile(portanet.optimizers.SGD(0.005), loss, metrics=["accuracy"])
    return model


def train(model: Any, epochs: int = 150) -> Any:
    """The history of the training; the last tenth is for validation."""
    x, y = data()
    return model.fit(x, y, batch_size=64, epochs=epochs, validation_split=0.1, verbose=0)


history = train(network())
plot.history(history, names=["accuracy"])
print(f"accuracy: training {history.history['accuracy'][-1]:.4f}, validation {history.history['val_accuracy'][-1]:.4f}")

# %%
# NumpyDL itself reaches 1.0000 and 0.9297 with this script. (The sum of a batch is divided by nothing in the curve of
# the loss, so only the accuracy is shown.)
#
# The script
# ----------
# With one changed line, the import at the top of this page. It prints a line for each pass over the data.


def twin(units: int = 500) -> Any:
    """The script's model."""
    npdl.utils.random.set_seed(1234)
    model = npdl.model.Model()
    model.add(npdl.layers.Dense(n_out=units, n_in=64, activation=npdl.activations.ReLU()))
    model.add(npdl.layers.Dense(n_out=10, activation=npdl.activations.Softmax()))
    model.compile(loss=npdl.objectives.SCCE(), optimizer=npdl.optimizers.SGD(lr=0.005))
    return model


def lines(model: Any, max_iter: int) -> list[str]:
    """What `fit` of the script's model prints."""
    x, y = data()
    file = io.StringIO()
    model.fit(x, y, max_iter=max_iter, validation_split=0.1, file=file)
    return file.getvalue().splitlines()


print(*lines(twin(), 5), sep="\n")

# %%
# The same steps
# --------------
# From the same weights and without shuffling, both models answer alike after two passes over 640 digits.


def difference(units: int = 500, epochs: int = 2, examples: int = 640) -> float:
    """The largest difference between the probabilities of both models, trained from the same weights."""
    ours, theirs = network(units), twin(units)
    weights = [portanet.asarray(w) for w in ours.get_weights()]
    for layer, (kernel, bias) in zip(theirs.layers, (weights[:2], weights[2:]), strict=True):
        layer.W, layer.b = kernel, bias
    x, y = (part[:examples] for part in data())
    ours.fit(x, y, batch_size=64, epochs=epochs, shuffle=False, verbose=0)
    theirs.fit(x, y, batch_size=64, max_iter=epochs, shuffle=False, file=io.StringIO())
    return float(np.max(np.abs(ours.predict(x) - portanet.to_host(theirs.predict(x)))))


print(f"largest difference of a probability: {difference():.1e}")
plt.show()
