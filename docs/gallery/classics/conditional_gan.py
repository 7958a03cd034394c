"""A conditional GAN: digits to order
===================================

Two networks play against each other. The generator turns noise and a label into an image. The discriminator sees images
with labels and says which are real. Both get better, until the generator draws the digit that it is asked for.

Source: the articles, "Neural Nets" (F. Tseng): the conditional objective, log D(x, y) + log(1 - D(G(z, y), y)), and the
cost of the discriminator.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import portanet
from portanet import layers, ops, plot

NOISE = 16

# %%
# The two networks
# ----------------
# Both get the label as one-hot numbers beside their input. The images have 8 x 8 pixels, so training takes seconds.


def generator(units: int = 128) -> portanet.Sequential:
    """From noise and label to 64 pixels between 0 and 1."""
    hidden = [layers.Dense(units), layers.BatchNormalization(), layers.LeakyReLU(0.2)]
    return portanet.Sequential([layers.Input((NOISE + 10,)), *hidden, layers.Dense(64, activation="sigmoid")])


def discriminator(units: int = 128) -> portanet.Sequential:
    """From pixels and label to a logit: above 0 for "real"."""
    hidden = [layers.Dense(units), layers.LeakyReLU(0.2), layers.Dropout(0.3)]
    return portanet.Sequential([layers.Input((64 + 10,)), *hidden, layers.Dense(1)])


# %%
# The game
# --------
# One step for each: the discriminator lowers the text's cost J_D, half the mean of -log D(x, y) and
# -log(1 - D(G(z, y), y)). The generator lowers -log D(G(z, y), y), which has the same direction as the text's
# log(1 - D), but does not vanish while the discriminator is winning.


class ConditionalGAN(portanet.Model):
    """A generator and a discriminator that are trained together; `fit(x, y)` takes pixels and one-hot labels."""

    def __init__(self, generator: portanet.Sequential, discriminator: portanet.Sequential, seed: int = 0) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.random = np.random.default_rng(seed)
        self.judge = portanet.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, g_optimizer: Any, d_optimizer: Any) -> None:
        """An optimizer for each network."""
        super().compile(d_optimizer)
        self.g_optimizer = g_optimizer

    def draw(self, y: Any, training: bool = False) -> Any:
        """Images for labels, from fresh noise."""
        noise = portanet.asarray(self.random.standard_normal((y.shape[0], NOISE)).astype("float32"))
        return self.generator(ops.concatenate([noise, y], axis=1), training=training)

    def cost(self, x: Any, y: Any, real: bool) -> Any:
        """What it costs the discriminator, to be told that these images are real, or not."""
        logits = self.discriminator(ops.concatenate([x, y], axis=1), training=True)
        return self.judge(ops.ones_like(logits) if real else ops.zeros_like(logits), logits)

    def train_step(self, data: Any) -> dict[str, Any]:
        """A step of the discriminator, then one of the generator."""
        x, y = data
        fake = self.draw(y, training=True)
        variables = self.discriminator.trainable_variables
        d_cost, gradients = self.value_and_gradients(
            lambda: 0.5 * (self.cost(x, y, real=True) + self.cost(fake, y, real=False)), variables
        )
        self.optimizer.apply(gradients, variables)
        variables = self.generator.trainable_variables
        g_cost, gradients = self.value_and_gradients(
            lambda: self.cost(self.draw(y, training=True), y, real=True), variables
        )
        self.g_optimizer.apply(gradients, variables)
        return {"discriminator": d_cost, "generator": g_cost}


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Scikit-learn's digits: pixels between 0 and 1, and one-hot labels."""
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), np.eye(10, dtype="float32")[y]


def train(epochs: int = 40, examples: int | None = None) -> tuple[ConditionalGAN, Any]:
    """The trained pair, and the history of both costs."""
    portanet.random.set_seed(0)
    x, y = digits()
    gan = ConditionalGAN(generator(), discriminator())
    gan.compile(portanet.optimizers.Adam(0.002, beta_1=0.5), portanet.optimizers.Adam(0.001, beta_1=0.5))
    return gan, gan.fit(x[:examples], y[:examples], batch_size=64, epochs=epochs, verbose=0)


gan, history = train()


def to_order(gan: ConditionalGAN, each: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """`each` drawn images of each digit, shape (10 each, 8, 8), and the digits that were ordered."""
    labels = np.tile(np.arange(10), each)
    drawn = gan.draw(portanet.asarray(np.eye(10, dtype="float32")[labels]))
    return portanet.to_host(drawn).reshape(-1, 8, 8), labels


images, labels = to_order(gan)
plot.images(images, labels, columns=10)

# %%
# Each column is one digit, drawn from four noises. `train(epochs=100)` draws them a little better.
#
# Are they what was ordered?
# --------------------------
# A logistic regression that learned from the real digits reads the drawn ones. If the generator ignored its label, it
# would agree with one order in ten.


def agreement(gan: ConditionalGAN, each: int = 50) -> float:
    """The share of drawn images that are read as the digit that was ordered."""
    x, y = digits()
    reader = LogisticRegression(max_iter=500).fit(x, y.argmax(axis=1))
    images, labels = to_order(gan, each)
    return float(np.mean(reader.predict(images.reshape(-1, 64)) == labels))


print(f"{agreement(gan):.1%} of the drawn digits are read as ordered")
plot.history(history)
plt.show()
