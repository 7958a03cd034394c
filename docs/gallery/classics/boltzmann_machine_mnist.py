"""A restricted Boltzmann machine learns digits without labels
============================================================

Binary units in two layers: pixels, and hidden units that learn which pixels go together. It is trained by contrastive
divergence on MNIST without labels. Its weights become strokes, it dreams digits, and its hidden units are features for
another classifier.

Source: the articles, "Neural Nets" (F. Tseng): restricted Boltzmann machines for features without labels, and learning
from few labels; sampling by a Markov chain.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

import portanet
from portanet import layers, plot
from portanet.datasets import load_mnist
from portanet.initializers import RandomNormal

MNIST = os.environ.get("MNIST", "mnist")  # the folder with the four IDX files

# %%
# Training
# --------
# `RBM.learn` is one step of contrastive divergence: from the images, hidden units are drawn, then pixels, then hidden
# units again. The weights move towards what the images cause, and away from what the machine makes of them.


def data(examples: int = 5_000) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Training images as rows between 0 and 1 with their labels, and 2,000 test images."""
    (x, y), (test_x, test_y) = load_mnist(MNIST)
    rows = [images.reshape(len(images), -1).astype("float32") / 255 for images in (x[:examples], test_x[:2_000])]
    return (rows[0], y[:examples]), (rows[1], test_y[:2_000])


def train(
    x: np.ndarray, units: int = 100, epochs: int = 5, batch: int = 50, rate: float = 0.1
) -> tuple[layers.RBM, list[float]]:
    """A machine for these images, and the mean error of its reconstructions in each epoch."""
    portanet.random.set_seed(0)
    machine, order, errors = layers.RBM(units, RandomNormal(stddev=0.01), seed=0), np.random.default_rng(0), []
    for _ in range(epochs):
        batches = np.split(order.permutation(len(x)), range(batch, len(x), batch))
        errors.append(float(np.mean([machine.learn(portanet.asarray(x[rows]), rate) for rows in batches])))
    return machine, errors


(x, y), (test_x, test_y) = data()
machine, errors = train(x)

# %%
# What the hidden units look for
# ------------------------------
# The weights of 30 hidden units, as images: bright pixels switch a unit on, dark ones off. They are strokes and blobs.
plot.images(machine.get_weights()[0].T.reshape(-1, 28, 28)[:30], columns=10)

# %%
# The error of the reconstructions falls quickly.
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(range(1, len(errors) + 1), errors, "o-")
ax.set(xlabel="epoch", ylabel="mean squared error", ylim=(0, None))
print("mean squared error of the reconstructions in each epoch:", np.round(errors, 4))

# %%
# Dreams
# ------
# `gibbs` goes back and forth between pixels and hidden units, and draws each. First row: test images. Then what the
# machine makes of them in 1, 10 and 200 steps: probabilities of the pixels.


def dreams(machine: layers.RBM, images: np.ndarray, steps: tuple[int, ...] = (1, 10, 200)) -> np.ndarray:
    """Images, and the chain that starts from each after some numbers of steps, shape (1 + len(steps), n, 28, 28)."""
    rows = [images]
    for count in steps:
        drawn = machine.gibbs(portanet.asarray(images), count)
        rows.append(portanet.to_host(machine.visible(machine(drawn))))
    return np.stack(rows).reshape(len(rows), -1, 28, 28)


plot.images(dreams(machine, test_x[:10]).reshape(-1, 28, 28), columns=10)

# %%
# Few labels
# ----------
# Only 300 images have a label. A logistic regression learns from their pixels, or from the hidden units that have
# learned from all images.


def few_labels(machine: layers.RBM, labelled: int = 300) -> dict[str, float]:
    """Accuracy on test images, from pixels and from hidden units."""
    (x, y), (test_x, test_y) = data()
    scores = {}
    for name, features in (
        ("pixels", lambda v: v),
        ("hidden units", lambda v: portanet.to_host(machine(portanet.asarray(v)))),
    ):
        reader = LogisticRegression(max_iter=300).fit(features(x[:labelled]), y[:labelled])
        scores[name] = float(reader.score(features(test_x), test_y))
    return scores


for name, score in few_labels(machine).items():
    print(f"{name}: {score:.1%} of the test images")
plt.show()
