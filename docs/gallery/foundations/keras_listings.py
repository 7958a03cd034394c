"""The book's first Keras models, on noise
========================================

Four small models, seven optimizers and five activations, on random inputs with random labels. There is nothing to
learn; the listings show how little has to be written. The same lines run here, with the names of Keras 3.

Source: Ketkar, listings 7-1 to 7-6 (figures 7-1 to 7-4).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.utils import to_categorical

# %%
# What has other names
# --------------------
# ========================================  ====================================
# Keras 1, in the book                      Keras 3, and portanet
# ========================================  ====================================
# ``Dense(1, input_dim=500)``               ``Input((500,))``, then ``Dense(1)``
# ``fit(..., nb_epoch=10)``                 ``fit(..., epochs=10)``
# ``plot(model, to_file=...)``              ``plot.model(model)``
# ``zip(model.metrics_names, score)``       ``evaluate(..., return_dict=True)``
# ``Convolution2D(32, 3, 3)``               ``Conv2D(32, 3)``
# ``LSTM(128, dropout_W=..., dropout_U=)``  ``LSTM(128, dropout=, recurrent_dropout=)``
# ========================================  ====================================
#
# 7-1 to 7-4: four models
# -----------------------


def single() -> tuple[Any, str]:
    """Listing 7-1: one layer, two classes; and its loss."""
    return portanet.Sequential(
        [layers.Input((500,)), layers.Dense(1), layers.Activation("sigmoid")]
    ), "binary_crossentropy"


def double() -> tuple[Any, str]:
    """Listing 7-2: two layers, two classes."""
    model = portanet.Sequential([layers.Input((500,)), layers.Dense(32), layers.Activation("sigmoid")])
    model.add(layers.Dense(1))
    model.add(layers.Activation("sigmoid"))
    return model, "binary_crossentropy"


def classes() -> tuple[Any, str]:
    """Listing 7-3: ten classes."""
    model = portanet.Sequential([layers.Input((500,)), layers.Dense(32), layers.Activation("relu")])
    model.add(layers.Dense(10))
    model.add(layers.Activation("softmax"))
    return model, "categorical_crossentropy"


def regression() -> tuple[Any, str]:
    """Listing 7-4: the mean of the squares."""
    return double()[0], "mse"


def noise(loss: str, examples: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs and labels: 0 or 1, or one of ten as one-hot rows."""
    generator = np.random.default_rng(seed)
    x = generator.random((examples, 500)).astype("float32")
    if loss == "categorical_crossentropy":
        return x, to_categorical(generator.integers(0, 10, examples), 10)
    return x, generator.integers(0, 2, (examples, 1)).astype("float32")


def before_and_after(
    model: Any, loss: str, optimizer: str = "rmsprop", examples: int = 1000, epochs: int = 10
) -> tuple[dict[str, float], dict[str, float], list[float]]:
    """The scores before and after training, and the losses of the epochs."""
    x, y = noise(loss, examples)
    model.compile(optimizer, loss, metrics=["mean_squared_error" if loss == "mse" else "accuracy"])
    before = model.evaluate(x, y, verbose=0, return_dict=True)
    history = model.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
    return before, model.evaluate(x, y, verbose=0, return_dict=True), history.history["loss"]


def shown(scores: dict[str, float]) -> str:
    """Scores in a line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())


LISTINGS = {"7-1": single, "7-2": double, "7-3": classes, "7-4": regression}
BOOK = {"7-1": "0.768 to 0.673", "7-2": "0.730 to 0.659", "7-3": "2.470 to 2.189", "7-4": "0.269 to 0.222"}

portanet.random.set_seed(0)
figure, ax = plt.subplots(figsize=(7, 3.5))
for number, make in LISTINGS.items():
    before, after, losses = before_and_after(*make())
    ax.plot(range(1, 11), np.asarray(losses) / losses[0], "o-", label=number)
    print(f"{number}: {shown(before)}; after: {shown(after)}. The book's loss: {BOOK[number]}")
ax.set(xlabel="epoch", ylabel="loss, as a part of the first")
ax.legend()

# %%
# 7-1 and 7-3 memorise a part of the noise. 7-2 and 7-4 stay at chance: a loss of log 2 = 0.693, and a mean square of
# 0.25. Figures 7-1 to 7-4 of the book are pictures of the models. Here is that of 7-3:
plot.model(classes()[0])

# %%
# 7-5: seven optimizers
# ---------------------
# Each by its name, on the model of 7-1. ("adadelat" in the book is a slip.)

OPTIMIZERS = ("sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "nadam")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "hard_sigmoid", "linear")


def by_optimizer(name: str, examples: int = 1000, epochs: int = 10) -> Any:
    """What `before_and_after` returns for an optimizer, from the same weights."""
    portanet.random.set_seed(0)
    return before_and_after(*single(), name, examples, epochs)


for name in OPTIMIZERS:
    before, after, _ = by_optimizer(name)
    print(f"{name:9} {shown(before)}; after: {shown(after)}")

# %%
# 7-6: five activations
# ---------------------
# The same model with another last activation. Only the sigmoids give probabilities. The logarithm of a negative
# "probability" would be NaN; portanet, as Keras, clips, so the losses of relu, tanh and linear are large but finite,
# and say nothing.


def by_activation(name: str, examples: int = 1000, epochs: int = 10) -> Any:
    """What `before_and_after` returns for an activation behind the one layer."""
    portanet.random.set_seed(0)
    model = portanet.Sequential([layers.Input((500,)), layers.Dense(1), layers.Activation(name)])
    return before_and_after(model, "binary_crossentropy", "sgd", examples, epochs)


for name in ACTIVATIONS:
    before, after, _ = by_activation(name)
    print(f"{name:13} {shown(before)}; after: {shown(after)}")
plt.show()
