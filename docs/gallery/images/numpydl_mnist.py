"""NumPyDL's scripts for MNIST
============================

A multilayer perceptron with each of NumPyDL's optimizers, and a very small convolutional network.

Source: NumpyDL, `examples/mlp-mnist.py` and `examples/cnn-minist.py`.
"""

import os
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.datasets import load_mnist
from portanet.utils import to_categorical

MNIST = os.environ.get("MNIST", "mnist")  # the folder with the four IDX files

# %%
# The perceptron
# --------------
# 784, 200 and 10 units. The script has one function for each optimizer, and all 70,000 images; 3,000 here. The
# optimizers have NumpyDL's default rate of 0.001 and its sums over a batch, see :doc:`numpydl_digits`. The same lines
# for NumpyDL: ``npdl.layers.Dense(n_out=200, n_in=784, activation="relu")``, ``npdl.layers.Softmax(n_out=10)``,
# ``compile(loss="scce", optimizer="adagrad")``, through `portanet.compat.numpydl`.


def data(images: int = 3000, folder: str = MNIST) -> tuple[np.ndarray, np.ndarray]:
    """The first images as numbers from 0 to 1, shape (images, 28, 28, 1), and one-hot rows."""
    (x, y), _ = load_mnist(folder)
    return x[:images, :, :, None].astype("float32") / 255, to_categorical(y[:images], 10)


def optimizers(rate: float = 0.001) -> dict[str, Any]:
    """NumpyDL's eight, by its names and with its default arguments."""
    of = portanet.optimizers
    return {
        "SGD": of.SGD(rate),
        "Momentum": of.SGD(rate, momentum=0.9),
        "NesterovMomentum": of.SGD(rate, momentum=0.9, nesterov=True),
        "Adagrad": of.Adagrad(rate, epsilon=1e-6),
        "RMSprop": of.RMSprop(rate, rho=0.9, epsilon=1e-6),
        "Adadelta": of.Adadelta(1.0, rho=0.9, epsilon=1e-6),
        "Adam": of.Adam(rate, epsilon=1e-8),
        "Adamax": of.Adamax(rate, epsilon=1e-8),
    }


def fit(model: Any, optimizer: Any, x: np.ndarray, y: np.ndarray, epochs: int, batch_size: int = 64) -> Any:
    """The history of a training with NumpyDL's loss; the last tenth is for validation."""
    loss = portanet.losses.CategoricalCrossentropy(reduction="sum")
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model.fit(x, y, batch_size=batch_size, epochs=epochs, validation_split=0.1, verbose=0)


def perceptron(units: int = 200) -> Any:
    """The script's layers."""
    portanet.random.set_seed(0)
    return portanet.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def compare(images: int = 3000, epochs: int = 4, folder: str = MNIST) -> dict[str, list[float]]:
    """The validation accuracy after each epoch, by optimizer."""
    x, y = data(images, folder)
    return {
        name: fit(perceptron(), optimizer, x, y, epochs).history["val_accuracy"]
        for name, optimizer in optimizers().items()
    }


results = compare()
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, accuracies in results.items():
    ax.plot(range(1, 5), accuracies, "o-", label=name)
    print(f"{name:17} validation accuracy {accuracies[-1]:.3f}")
ax.set(xlabel="epoch", ylabel="validation accuracy", xticks=range(1, 5))
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))

# %%
# Most optimizers are near 0.9 after four epochs. Adagrad starts with small steps, which get smaller.
#
# The convolutional network
# -------------------------
# One filter of 3 by 3, mean pooling, two filters of 4 by 4, mean pooling, softmax: 554 parameters and 1,000 images.
# NumpyDL has the channels first: ``Convolution(1, (3, 3), input_shape=(None, 1, 28, 28))``, ``MeanPooling((2, 2))``.
# The script trains for 10 epochs with a rate of 0.001; here are 40.


def convolutional() -> Any:
    """The script's layers, with the channels last."""
    portanet.random.set_seed(100)
    return portanet.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(1, 3, activation="relu", name="first"),
            layers.AveragePooling2D(2),
            layers.Conv2D(2, 4, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train_convolutional(images: int = 1000, epochs: int = 40, folder: str = MNIST) -> tuple[Any, Any]:
    """The model and the history of its training."""
    model = convolutional()
    return model, fit(model, portanet.optimizers.SGD(0.001), *data(images, folder), epochs, 100)


model, history = train_convolutional()
plot.history(history, names=["accuracy"])
after_ten, last = (history.history["val_accuracy"][i] for i in (9, -1))
print(f"{model.count_params()} parameters, validation accuracy {after_ten:.3f} after 10 epochs, {last:.3f} at the end")
plt.show()
