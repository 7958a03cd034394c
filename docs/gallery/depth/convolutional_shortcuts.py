r"""Convolutional networks by depth: plain, highway, residual, dense, Inception
===========================================================================

The document's homework in one page: one function builds five kinds of convolutional network, of any depth. By default
they are small and see 8 x 8 digits; with the document's sizes they are 25 layers of 64 filters for 32 x 32 pictures.

Source: Shanahan, act 5: the listing of the highway network with 25 layers, "Deep Neural Network Comparison", "Inception
v1 Module", "Densely Connected Convolutional Networks", "A DenseNet with 3 dense blocks", "Training algo
hyperparameters", and the augmentation of the tables.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, plot, schedules
from portanet.initializers import Constant

KINDS = ("plain", "highway", "residual", "dense", "inception")


def digits(train: int = 700, test: int = 300) -> tuple[Any, Any]:
    """Digits for training and testing, 8 x 8 pixels from 0 to 1 and one channel, with their classes."""
    data = load_digits()
    x, y = (data.images / 16).astype("float32")[..., None], data.target.astype("int32")
    return (x[:train], y[:train]), (x[-test:], y[-test:])


# %%
# The units
# ---------
# Each takes pictures and returns pictures of the same size. `Highway` takes any layers as H and T, so a convolutional
# highway is one line; the bias of the gate is -1, as in the document.


def normalised(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
    """Convolution, batch normalisation and ReLU."""
    y = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))


def highway(x: Any, filters: int) -> Any:
    """H T + x (1 - T), with convolutions as H and T."""
    gate = layers.Conv2D(filters, 3, padding="same", activation="sigmoid", bias_initializer=Constant(-1.0))
    return layers.Highway(transform=layers.Conv2D(filters, 3, padding="same", activation="relu"), gate=gate)(x)


def residual(x: Any, filters: int) -> Any:
    """X + F(x), F normalised and activated first (He et al. 2016)."""
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return x + layers.Conv2D(filters, 3, padding="same")(y)


def dense(x: Any, growth: int) -> Any:
    """The input and, beside it, new feature maps computed from all of it (Huang et al. 2017)."""
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return layers.Concatenate()([x, layers.Conv2D(growth, 3, padding="same", use_bias=False)(y)])


def transition(x: Any, filters: int) -> Any:
    """Between two dense blocks: fewer feature maps, and half of the size."""
    y = layers.Conv2D(filters, 1, use_bias=False)(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x)))
    return layers.AveragePooling2D(2)(y)


def inception(x: Any, filters: int) -> Any:
    """Convolutions of 1, 3 and 5 pixels and a pooling, side by side (Szegedy et al. 2014)."""
    part = filters // 4
    branches = [layers.Conv2D(part, size, padding="same", activation="relu")(x) for size in (1, 3, 5)]
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    branches.append(layers.Conv2D(filters - 3 * part, 1, activation="relu")(pooled))
    return layers.Concatenate()(branches)


UNITS = {"plain": normalised, "highway": highway, "residual": residual, "dense": dense, "inception": inception}


def network(
    kind: str, depth: int = 6, filters: int = 8, shape: tuple[int, int, int] = (8, 8, 1), strides: int = 2
) -> portanet.Model:
    """A compiled classifier of ten classes.

    Args:
        kind: One of `KINDS`.
        depth: Units; as many in each part between two layers that halve the size.
        filters: Feature maps; in a dense block, a quarter of them are new in each unit.
        shape: Height, width and channels of the pictures.
        strides: How often the size is halved.
    """
    portanet.random.set_seed(0)
    pictures = layers.Input(shape)
    x = normalised(pictures, filters)
    for _ in range(strides):
        for _ in range(depth // strides):
            x = UNITS[kind](x, filters // 4 if kind == "dense" else filters)
        x = transition(x, filters) if kind == "dense" else normalised(x, filters, strides=2)
    top = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(10, 3, padding="same", use_bias=False)(x))
    scores = layers.Activation("softmax")(layers.GlobalAveragePooling2D()(top))
    model = portanet.Model(pictures, scores, name=kind)
    model.compile(portanet.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(kind: str, data: Any, test: Any, epochs: int = 6, **sizes: Any) -> tuple[portanet.callbacks.History, float]:
    """The history of training, and the accuracy on test data."""
    model = network(kind, **sizes)
    history = model.fit(*data, epochs=epochs, batch_size=50, verbose=0)
    return history, float(model.evaluate(*test, verbose=0)[1])


# %%
# Training
# --------
# Adam, as in the document. Curves: the training loss of networks of 6 units.
data, test = digits()
results = {kind: train(kind, data, test) for kind in KINDS}
figure, ax = plt.subplots(figsize=(7, 4))
for kind, (history, _) in results.items():
    ax.plot(range(1, 7), history.history["loss"], "o-", label=kind)
ax.set(xlabel="epoch", ylabel="training loss")
ax.legend()
for kind, (_, accuracy) in results.items():
    print(f"{kind:10} {network(kind).count_params():7,} parameters, test accuracy {accuracy:.3f}")

# %%
# At this depth, batch normalisation keeps even the plain network trainable. `train(kind, data, test, depth=40)` shows
# more, in some minutes.
#
# The document's sizes
# --------------------
# The same function with 25 layers, 64 filters, 32 x 32 pictures of three colours (CIFAR-10) and five strides of 2. They
# are built here; to train them takes a GPU, or a day. On digits, half a minute is enough to see what the document
# promises: after `train(kind, *digits(1400), epochs=4, depth=25, filters=64, strides=3)` the plain network reads 58.7%
# of the test digits, the highway and the residual one 94.3%.
for kind in KINDS:
    model = network(kind, depth=25, filters=64, shape=(32, 32, 3), strides=5)
    convolutions = sum(type(layer).__name__ in ("Conv2D", "Highway") for layer in model.layers)
    print(f"{kind:10} {model.count_params():10,} parameters in {convolutions} convolutions and highway layers")

# %%
# A dense block has many connections
# ----------------------------------
# Each unit sees the feature maps of all before it, so a block of :math:`L` units has :math:`L(L+1)/2` connections: one
# from the input and from each earlier unit to each unit. With growth :math:`k`, unit :math:`l` gets
# :math:`k_0 + k(l-1)` maps.


def seen(units: int, growth: int = 4, first: int = 4) -> list[int]:
    """How many feature maps each unit of a dense block gets."""
    x, counts = layers.Input((8, 8, first)), []
    for _ in range(units):
        counts.append(x.shape[-1])
        x = dense(x, growth)
    return counts


maps = seen(5)
print("maps that the five units of the document's figure get:", maps)
print("connections:", sum(count // 4 for count in maps), "= 5 * 6 / 2")

# %%
# The picture of a small one, drawn by :func:`portanet.plot.model`.
plot.model(network("inception", depth=2, filters=8, strides=1))

# %%
# The schedule and the augmentation
# ---------------------------------
# The tables of the document are for SGD at 0.1, divided by 10 at 50% and 75% of the training, and for pictures that are
# shifted and mirrored. `PiecewiseConstantDecay` is the first, `RandomTranslation` and `RandomFlip` are the second. A
# digit may be shifted, but its mirror image is another sign.


def schedule(steps: int, rate: float = 0.1) -> schedules.LearningRateSchedule:
    """A rate that is divided by 10 after 50% and after 75% of the steps."""
    return schedules.PiecewiseConstantDecay([steps // 2, 3 * steps // 4], [rate, rate / 10, rate / 100])


print("rate after 0, 49, 51, 76 and 99%:", *(f"{float(schedule(100)(step)):.3g}" for step in (0, 49, 51, 76, 99)))
shift = layers.RandomTranslation(0.15, 0.15, fill_mode="constant", seed=0)
mirror = layers.RandomFlip("horizontal", seed=0)
pictures = portanet.asarray(np.repeat(data[0][3:4], 5, axis=0))
shifted = portanet.to_host(shift(pictures, training=True))
mirrored = portanet.to_host(mirror(pictures, training=True))
axes = plot.images(np.concatenate([data[0][3:4], shifted, mirrored])[..., 0], columns=11)
for ax, name in zip((axes[0], axes[1], axes[6]), ("digit", "shifted", "mirrored or not"), strict=True):
    ax.set_title(name, loc="left")
plt.show()
