"""New layers and models: weights by several calls, losses from layers, configs, nested layers, a training argument."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start


class Linear(layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True)

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config


class ComputeSum(layers.Layer):
    def __init__(self, input_dim):
        super().__init__()
        self.total = self.add_weight(initializer="zeros", shape=(input_dim,), trainable=False)

    def call(self, inputs):
        self.total.assign_add(ops.sum(inputs, axis=0))
        return self.total


class MLPBlock(layers.Layer):
    def __init__(self):
        super().__init__()
        self.linear_1 = Linear(6)
        self.linear_2 = Linear(5)
        self.linear_3 = Linear(1)

    def call(self, inputs):
        x = self.linear_1(inputs)
        x = keras.activations.relu(x)
        x = self.linear_2(x)
        x = keras.activations.relu(x)
        return self.linear_3(x)


class ActivityRegularizationLayer(layers.Layer):
    def __init__(self, rate=1e-2):
        super().__init__()
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * ops.mean(inputs**2))
        return inputs


class Half(layers.Layer):
    def call(self, inputs, training=None):
        return ops.cond(training, lambda: inputs * 0.5, lambda: inputs) if training is not None else inputs


class Regressor(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.block = MLPBlock()
        self.penalty = ActivityRegularizationLayer()
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.units = units

    def call(self, inputs):
        return self.penalty(self.block(inputs)) * self.scale


rng = np.random.default_rng(6)
x = rng.random((32, 4)).astype("float32")
tensor = ops.convert_to_tensor(x)
y = x.sum(axis=1, keepdims=True)

linear_layer = Linear(4)
linear_layer(tensor)
copy = Linear.from_config(linear_layer.get_config())
copy(tensor)
copy.set_weights(linear_layer.get_weights())

my_sum = ComputeSum(2)
first = ops.convert_to_numpy(my_sum(ops.ones((2, 2))))
second = ops.convert_to_numpy(my_sum(ops.ones((2, 2))))

model = Regressor(3)
model(tensor)
start(model)
model.compile(optimizer=keras.optimizers.SGD(1e-3), loss="mse")
history = model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)

results = {
    "same": ops.convert_to_numpy(copy(tensor)) - ops.convert_to_numpy(linear_layer(tensor)),
    "weights": len(linear_layer.weights),
    "sums": [first, second],
    "non-trainable": len(my_sum.non_trainable_weights),
    "trainable": len(my_sum.trainable_weights),
    "loss": history.history["loss"],
    "predictions": model.predict(x[:4], verbose=0),
    "half": ops.convert_to_numpy(Half()(tensor, training=True)),
}
