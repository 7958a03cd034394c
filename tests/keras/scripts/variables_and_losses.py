"""Variables in attributes, kernels that a call masks, sums in place, and losses added and read outside of steps."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start


class Masked(layers.Layer):
    """A convolution that sees only what lies before each pixel."""

    def __init__(self, filters):
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, padding="same", activation="tanh")

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.mask = np.zeros(ops.shape(self.conv.kernel))
        self.mask[:1] = self.mask[1, :1] = 1.0

    def call(self, x):
        self.conv.kernel.assign(self.conv.kernel * self.mask)
        return layers.add([self.conv(x), x])


class Mixture(layers.Layer):
    """The mean of gates, each with a temperature."""

    def __init__(self, count):
        super().__init__()
        self.gates = [layers.Dense(3, activation="softmax") for _ in range(count)]
        self.temperatures = [keras.Variable(1.0 + i, dtype="float32") for i in range(count)]
        self.calls = keras.Variable(0, trainable=False)
        self.rate = keras.Variable(initializer="ones", shape=(), trainable=False)

    def call(self, x):
        total = ops.zeros([ops.shape(x)[0], 3])
        for gate, temperature in zip(self.gates, self.temperatures, strict=True):
            total += gate(x) * temperature
        total /= len(self.gates)
        self.calls.assign_add(1)
        self.add_loss(self.rate * 0.1 * ops.mean(ops.square(total)))
        return total


rng = np.random.default_rng(0)
images = rng.random((16, 6, 6, 2)).astype("float32")
labels = rng.integers(0, 3, 16)
image = keras.Input((6, 6, 2))
mixture = Mixture(2)
model = keras.Model(image, mixture(layers.GlobalAveragePooling2D()(Masked(2)(image))))
start(model)
for temperature in mixture.temperatures:
    temperature.assign(1.5)
counts = [len(model.losses)]
for _ in range(2):
    model(ops.convert_to_tensor(images))
    counts.append(len(model.losses))
added = ops.convert_to_numpy(model.losses[0])
mixture.calls.assign(0)

model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(images, labels, batch_size=8, epochs=2, shuffle=False, verbose=0)
results = {
    "counts": counts[1:],
    "added": added,
    "history": history.history,
    "steps": int(mixture.calls.numpy()),
    "variables": isinstance(mixture.gates[0].kernel, keras.Variable),
    "trained": len(model.trainable_variables),
    "temperatures": [ops.convert_to_numpy(t) for t in mixture.temperatures],
    "predictions": model.predict(images, verbose=0),
}
