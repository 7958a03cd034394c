"""Building blocks of deep networks, and networks of 30 layers with and without shortcuts.

    python examples/architectures.py shared/data/mnist

trains the networks on 4,000 digits of MNIST and prints their accuracy on 2,000 test digits.
"""

import sys

import portanet
from portanet import datasets, layers


def residual(x, units):
    """F(x) + x (He et al. 2015), normalised before the activation."""
    y = layers.ReLU()(layers.BatchNormalization()(layers.Dense(units)(x)))
    return layers.ReLU()(layers.BatchNormalization()(layers.Dense(units)(y)) + x)


def pre_activation(x, units):
    """X + F(x) with all layers in F (He et al. 2016): the shortcut is an identity."""
    y = x
    for _ in range(2):
        y = layers.Dense(units)(layers.ReLU()(layers.BatchNormalization()(y)))
    return x + y


def dense_block(x, count, growth):
    """Each layer takes the outputs of all previous layers (Huang et al. 2017)."""
    for _ in range(count):
        y = layers.Conv2D(growth, 3, padding="same", use_bias=False)(layers.ReLU()(layers.BatchNormalization()(x)))
        x = layers.Concatenate()([x, y])
    return x


def inception(x, filters):
    """Parallel convolutions of several sizes (Szegedy et al. 2014)."""
    branches = [layers.Conv2D(filters, size, padding="same", activation="relu")(x) for size in (1, 3, 5)]
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    return layers.Concatenate()([*branches, layers.Conv2D(filters, 1, activation="relu")(pooled)])


def highway(x, units):
    """H(x) T(x) + x (1 - T(x)) (Srivastava et al. 2015)."""
    return layers.Highway("relu", carry_bias=-2.0)(x)


def plain(x, units):
    """No shortcut."""
    return layers.Dense(units, "relu")(x)


def deep(block, count, units=50):
    """A classifier of MNIST's digits with many blocks."""
    pixels = layers.Input((784,))
    x = layers.Dense(units, "relu")(pixels)
    for _ in range(count):
        x = block(x, units)
    return portanet.Model(pixels, layers.Dense(10, "softmax")(x), name=block.__name__)


def accuracy(block, count, train, test, epochs=4):
    """Train, and return the accuracy on test data."""
    portanet.random.set_seed(0)
    model = deep(block, count)
    model.compile(portanet.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, epochs=epochs, batch_size=64, verbose=0)
    return model.evaluate(*test, verbose=0)[1]


def digits(folder):
    """4,000 digits of MNIST for training, and 2,000 for testing."""
    (x, y), (x_test, y_test) = datasets.load_mnist(folder)
    return (x[:4000].reshape(-1, 784) / 255.0, y[:4000]), (x_test[:2000].reshape(-1, 784) / 255.0, y_test[:2000])


def main(folder):
    train, test = digits(folder)
    for block, count in ((plain, 30), (highway, 30), (residual, 15), (pre_activation, 15)):
        print(f"{block.__name__:<15} 30 hidden layers: test accuracy {accuracy(block, count, train, test):.3f}")


if __name__ == "__main__":
    main(sys.argv[1])
