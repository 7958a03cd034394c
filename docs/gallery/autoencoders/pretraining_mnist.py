r"""Pretraining layer by layer, for few labels (MNIST)
==================================================

There are many digits, but only some have labels. First the lower layers of 784-300-150-10 learn as autoencoders, from
digits without labels. They are saved. A classifier with the same lower layers reads them, and learns from the few
digits with labels; beside it one that starts from random layers.

Source: Shanahan, act 3: the listing "Unsupervised pretraining": ELU, L2 of .0005, variance scaling, sparse softmax
cross-entropy, Adam at .01, and a saver of the lower layers alone.

The page reads MNIST's four files from the folder in the environment variable `MNIST`. By default it takes 3,000 digits
without labels and 100 with labels; `main(60000, 1000, 20)` takes all, in some minutes.
"""

import os
import pathlib
import tempfile
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import datasets, layers, plot
from portanet.initializers import VarianceScaling
from portanet.regularizers import L2

MNIST = os.environ.get("MNIST", "mnist")  # the folder with the four IDX files


def hidden(units: int, name: str) -> layers.Dense:
    """A layer as in the document: ELU, variance scaling, and a penalty on its weights."""
    return layers.Dense(units, "elu", kernel_initializer=VarianceScaling(2.0), kernel_regularizer=L2(0.0005), name=name)


def lower(features: int = 784, first: int = 300, second: int = 150) -> portanet.Sequential:
    """The layers that are pretrained, saved and restored."""
    return portanet.Sequential([layers.Input((features,)), hidden(first, "hidden_1"), hidden(second, "hidden_2")])


def classifier(below: portanet.Sequential, classes: int = 10) -> portanet.Sequential:
    """The lower layers with a layer of scores, which are no probabilities, on top; compiled."""
    model = portanet.Sequential([below, layers.Dense(classes, kernel_initializer=VarianceScaling(2.0), name="scores")])
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(portanet.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


# %%
# Pretraining
# -----------
# Each layer is an autoencoder of what the layer below says: the first of pixels, the second of the outputs of the
# first, which are computed once.


def pretrain(below: portanet.Sequential, x: np.ndarray, epochs: int) -> None:
    """Train each of the lower layers to keep what its input says."""
    for layer in below.layers:
        pair = portanet.Sequential([layers.Input((x.shape[1],)), layer, layers.Dense(x.shape[1])])
        pair.compile(portanet.optimizers.Adam(0.002), "mse")
        pair.fit(x, x, epochs=epochs, batch_size=100, verbose=0)
        x = portanet.Sequential([layers.Input((x.shape[1],)), layer]).predict(x, verbose=0)


def compare(
    unlabelled: np.ndarray, labelled: Any, test: Any, epochs: int = 4, folder: str | None = None
) -> dict[str, float]:
    """The test accuracy of a classifier with random lower layers, and with restored ones."""
    portanet.random.set_seed(0)
    features = unlabelled.shape[1]
    below = lower(features)
    pretrain(below, unlabelled, epochs)
    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(folder or temporary) / "lower.weights.h5"
        below.save_weights(path)  # of the lower layers alone
        restored = lower(features)
        restored.load_weights(path)
    result = {}
    for name, start in (("random lower layers", lower(features)), ("pretrained lower layers", restored)):
        model = classifier(start)
        model.fit(*labelled, epochs=30, batch_size=20, verbose=0)
        result[name] = float(model.evaluate(*test, verbose=0)[1])
    result["features"] = restored.layers[0].get_weights()[0]
    return result


def main(unlabelled: int = 3000, labelled: int = 100, epochs: int = 4) -> dict[str, Any]:
    """The comparison on MNIST, with so many digits without and with labels."""
    (x, y), (x_test, y_test) = datasets.load_mnist(MNIST)
    x, x_test = (data.reshape(-1, 784).astype("float32") / 255 for data in (x, x_test))
    return compare(x[:unlabelled], (x[:labelled], y[:labelled]), (x_test[:2000], y_test[:2000]), epochs)


result = main()
features = result.pop("features")
strongest = np.argsort(-np.sum(features**2, axis=0))[:24]
plot.images(features.T[strongest].reshape(-1, 28, 28), columns=12)

# %%
# Above: the weights of 24 pretrained units of the first layer, as pictures: strokes and blots of digits, though no
# label was used. Below: the accuracy on 2,000 test digits, after the same training on 100 digits with labels.
#
# Both are alike, within the chance of a draw of 100 labels. Pretraining was needed for sigmoids with small weights:
# their gradients vanish. With the document's ELU, variance scaling and Adam, random layers are as good a start.
for name, accuracy in result.items():
    print(f"{name}: test accuracy {accuracy:.3f}")
plt.show()
