"""`Network([784, 30, 10])`: handwritten digits with sigmoid neurons
==================================================================

784 pixels, 30 hidden neurons, 10 outputs, all sigmoid, the quadratic cost, weights and biases drawn from N(0, 1), and
stochastic gradient descent with mini-batches of 10 and a learning rate of 3. After each epoch the program prints how
many of 10,000 test images it reads correctly.

Source: the articles, "Using neural nets to recognize handwritten digits" (M. Nielsen, chapter 1): the program
`network.py` and its output "Epoch j: a / 10000", with 30 hidden neurons, with none, and with a bad learning rate.
"""

import os
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.callbacks import LambdaCallback
from portanet.datasets import load_mnist
from portanet.initializers import RandomNormal

MNIST = os.environ.get("MNIST", "mnist")  # the folder with the four IDX files

# %%
# The network
# -----------
# The text's class has 74 lines, with backpropagation written by hand. Here a layer is one line, and the rate is divided
# by 2 with the mean over outputs: the quadratic cost is half the sum of ten squares, Keras's "mse" their mean. So
# `eta = 3` becomes `3 * 10 / 2`.


def network(sizes: list[int], eta: float = 3.0) -> portanet.Sequential:
    """Sigmoid layers of these sizes, compiled for the quadratic cost and stochastic gradient descent."""
    model = portanet.Sequential([layers.Input((sizes[0],))])
    for size in sizes[1:]:
        normal = {"kernel_initializer": RandomNormal(stddev=1.0), "bias_initializer": RandomNormal(stddev=1.0)}
        model.add(layers.Dense(size, activation="sigmoid", **normal))
    model.compile(portanet.optimizers.SGD(eta * sizes[-1] / 2), "mse", metrics=["accuracy"])
    return model


def data(examples: int | None = None) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The text's training set, the first 50,000 images or fewer, and the 10,000 test images, as rows from 0 to 1."""
    (x, y), (test_x, test_y) = load_mnist(MNIST)
    x, y = x[:50_000][:examples], y[:50_000][:examples]
    rows = [images.reshape(len(images), -1).astype("float32") / 255 for images in (x, test_x)]
    one_hot = [np.eye(10, dtype="float32")[labels] for labels in (y, test_y)]
    return (rows[0], one_hot[0]), (rows[1], one_hot[1])


def train(
    sizes: list[int], eta: float = 3.0, epochs: int = 30, batch: int = 10, examples: int | None = None
) -> tuple[portanet.Sequential, list[int]]:
    """Train as the text does and print its lines.

    Args:
        sizes: Neurons of each layer.
        eta: The learning rate.
        epochs: Passes over the training set; the text makes 30.
        batch: Examples in a mini-batch.
        examples: How many of the 50,000 training images are used; None for all.

    Returns:
        The model, and the number of test images that are read correctly after each epoch.
    """
    portanet.random.set_seed(0)
    (x, y), test = data(examples)
    model, correct = network(sizes, eta), []

    def report(epoch: int, logs: dict[str, Any]) -> None:
        correct.append(round(logs["val_accuracy"] * len(test[0])))
        print(f"Epoch {epoch}: {correct[-1]} / {len(test[0])}")

    show = LambdaCallback(on_epoch_end=report)
    model.fit(x, y, batch_size=batch, epochs=epochs, validation_data=test, verbose=0, callbacks=[show])
    return model, correct


# %%
# Training
# --------
# The text trains for 30 epochs (`epochs=30`, a few minutes) and reaches about 95 % of 10,000. The first two epochs are
# most of the way.
model, correct = train([784, 30, 10], epochs=2)

# %%
# The curve, beside two others of the text: no hidden layer, and a learning rate of 0.001, which is far too small. They
# use a tenth of the images here.
print("no hidden layer")
_, plain = train([784, 10], epochs=2, examples=5_000)
print("eta = 0.001")
_, slow = train([784, 30, 10], eta=0.001, epochs=2, examples=5_000)
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, values in (("784-30-10", correct), ("784-10", plain), ("eta = 0.001", slow)):
    ax.plot(values, "o-", label=name)
ax.set(xlabel="epoch", ylabel="correct of 10,000", ylim=(0, 10_000), xticks=range(2))
ax.legend()

# %%
# Images that are read wrongly
# ----------------------------
# The title has the answer, and the label after it. Some are hard for people, too.


def mistakes(model: portanet.Sequential, count: int = 10) -> tuple[np.ndarray, list[str]]:
    """The first test images that the model reads wrongly, with "answer, not label"."""
    x, y = data(1)[1]
    answers, labels = np.argmax(model.predict(x, verbose=0), axis=1), np.argmax(y, axis=1)
    wrong = np.nonzero(answers != labels)[0][:count]
    return x[wrong].reshape(-1, 28, 28), [f"{answers[i]}, not {labels[i]}" for i in wrong]


images, titles = mistakes(model)
plot.images(images, titles, columns=5)
plt.show()
