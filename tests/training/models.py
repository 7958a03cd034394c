"""Small models and data for the tests of training."""

import numpy as np

import portanet
from portanet import layers


class TwoHeads(portanet.Model):
    """Two outputs, a class and a size, as a list or, with `by_name`, as a dict."""

    def __init__(self, by_name=False):
        portanet.random.set_seed(0)
        super().__init__(name="two")
        self.by_name = by_name
        self.body = layers.Dense(6, activation="tanh", name="body")
        self.kind = layers.Dense(3, activation="softmax", name="kind")
        self.size = layers.Dense(1, name="size")

    def call(self, x, training=False):
        h = self.body(x)
        return {"kind": self.kind(h), "size": self.size(h)} if self.by_name else [self.kind(h), self.size(h)]


class Blend(portanet.Model):
    """One output from two inputs."""

    def __init__(self):
        portanet.random.set_seed(0)
        super().__init__()
        self.first = layers.Dense(1, name="first")
        self.second = layers.Dense(1, name="second")

    def call(self, x, training=False):
        a, b = x
        return self.first(a) + self.second(b)


def line(loss="mse", optimizer="sgd", **options):
    """One unit."""
    portanet.random.set_seed(0)
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, name="unit")])
    model.compile(optimizer, loss, **options)
    return model


def rows(count=20, features=3):
    x = np.random.default_rng(1).normal(size=(count, features)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)
