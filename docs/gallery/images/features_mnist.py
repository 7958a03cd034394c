"""What a convolutional network looks for: features projected back to pixels
=========================================================================

An image goes forward, all features but one are set to zero, and the rest goes backward through the network: unpooling,
ReLU, transposed convolution. What arrives at the pixels is what the feature has seen.

Source: NumpyDL documentation, 2.6.3 and 2.6.4 (figures 2.15 to 2.22), after M. Zeiler and R. Fergus. The document uses
CIFAR-10; here are MNIST's digits.
"""

import os
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.autodiff import array_namespace
from portanet.datasets import load_mnist

MNIST = os.environ.get("MNIST", "mnist")  # the folder with the four IDX files

# %%
# The network
# -----------
# As in the document: two convolutions with windows of 5 by 5, each followed by ReLU and max pooling, then a dense layer
# with dropout, and a softmax. With 16 and 32 features, not 32 and 64, and few images: it takes seconds.


def network(first: int = 16, second: int = 32) -> Any:
    """The layers of the document, with names for those that are inverted."""
    return portanet.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(first, 5, padding="same", activation="relu", name="first"),
            layers.MaxPooling2D(2, return_argmax=True, name="pool"),
            layers.Lambda(lambda both: both[0]),
            layers.Conv2D(second, 5, padding="same", activation="relu", name="second"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train(images: int = 3000, epochs: int = 2, folder: str = MNIST, seed: int = 0) -> tuple[Any, np.ndarray, float]:
    """The trained network, images of the test, and the accuracy on them."""
    portanet.random.set_seed(seed)
    (x, y), (test_x, test_y) = load_mnist(folder)
    x, test_x = (part[..., None].astype("float32") / 255 for part in (x[:images], test_x[:500]))
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y[:images], batch_size=50, epochs=epochs, verbose=0)
    return model, test_x, model.evaluate(test_x, test_y[:500], verbose=0)[1]


# %%
# There and back
# --------------
# `activations` goes forward to a convolution. `to_pixels` goes back: at each layer the positive part, then the
# transposed convolution with the same filters. Max pooling cannot be undone, since it keeps one value of four. Zeiler
# and Fergus put that one where it came from: `MaxPooling2D(return_argmax=True)` returns the positions, and
# `MaxUnpooling2D` uses them. The document does something simpler: it fills the whole square. Both are here.


def activations(model: Any, images: Any) -> tuple[Any, Any, Any]:
    """The features of the first convolution, those of the second, and the positions of the maxima between them."""
    named = {layer.name: layer for layer in model.layers}
    first = named["first"](portanet.asarray(images))
    pooled, positions = named["pool"](first)
    return first, named["second"](pooled), positions


def only(features: Any, index: int) -> Any:
    """Features of which all but one are set to zero."""
    xp = array_namespace(features)
    chosen = np.zeros(features.shape[-1], dtype="float32")
    chosen[index] = 1
    return xp.maximum(features, 0 * features) * portanet.asarray(chosen)


def back(layer: Any, features: Any, channels: int) -> Any:
    """Through a convolution backward: the transposed convolution with its filters, without bias."""
    transposed = layers.Conv2DTranspose(channels, layer.kernel_size, padding="same", use_bias=False)
    transposed.build((None, *features.shape[1:]))
    transposed.set_weights([portanet.to_host(layer.kernel.value)])
    return transposed(features)


def to_pixels(model: Any, images: Any, layer: str, index: int, positions: bool = True) -> np.ndarray:
    """What one feature of a layer, "first" or "second", sees in each image: arrays of the images' size."""
    named = {each.name: each for each in model.layers}
    first, second, maxima = activations(model, images)
    if layer == "first":
        return portanet.to_host(back(named["first"], only(first, index), 1))[..., 0]
    pooled = back(named["second"], only(second, index), first.shape[-1])
    unpooled = layers.MaxUnpooling2D(2)([pooled, maxima]) if positions else layers.UpSampling2D(2)(pooled)
    xp = array_namespace(unpooled)
    return portanet.to_host(back(named["first"], xp.maximum(unpooled, 0 * unpooled), 1))[..., 0]


model, images, accuracy = train()
digit = images[:1]  # a seven, where the document has a dog
pixels = [to_pixels(model, digit, "first", i)[0] for i in range(16)]
plot.images([digit[0, ..., 0], *pixels], ["the image", *map(str, range(16))], columns=9)

# %%
# The first convolution (figures 2.16 and 2.17): each feature shows the seven as its own filter sees it, as edges of one
# direction, or as a whole. Figure 2.18 is one feature for many images:
print(f"accuracy on 500 test images {accuracy:.3f}")
strongest = int(np.argmax([image.max() for image in pixels]))
plot.images(
    [*images[:12, ..., 0], *to_pixels(model, images[:12], "first", strongest)],
    [*[""] * 12, *[f"feature {strongest}"] * 12],
    columns=12,
)

# %%
# Which image activates a feature most (figures 2.19 and 2.20)? Above the winners of 200 images, below what the features
# see in them.


def winners(model: Any, images: Any, layer: str) -> np.ndarray:
    """For each feature of a layer, the number of the image with the largest sum of its activations."""
    first, second, _ = activations(model, images)
    features = portanet.to_host(first if layer == "first" else second)
    return features.sum(axis=(1, 2)).argmax(axis=0)


best = winners(model, images[:200], "first")[:12]
seen = [to_pixels(model, images[n : n + 1], "first", i)[0] for i, n in enumerate(best)]
plot.images([*images[best, ..., 0], *seen], [*[""] * 12, *[f"feature {i}" for i in range(12)]], columns=12)

# %%
# The second convolution (figures 2.21 and 2.22) has larger and more selective features. Above, the maxima are put back
# to their places; below, squares are filled, as in the document's code: the same pattern, but coarse.
exact = [to_pixels(model, digit, "second", i)[0] for i in range(12)]
coarse = [to_pixels(model, digit, "second", i, positions=False)[0] for i in range(12)]
plot.images([*exact, *coarse], [f"feature {i}" for i in range(12)] * 2, columns=12)
plt.show()
