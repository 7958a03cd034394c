"""Files and configs: registered classes and functions, clones, JSON, weights alone, optimizers that go on."""

import os
import tempfile

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start

folder = tempfile.mkdtemp()
rng = np.random.default_rng(9)
x, y = rng.random((32, 6)).astype("float32"), rng.random((32, 1)).astype("float32")


@keras.saving.register_keras_serializable(package="MyLayers")
class CustomLayer(keras.layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="my_package", name="custom_fn")
def custom_fn(x):
    return x**2


def get_model():
    inputs = keras.Input(shape=(6,))
    x = CustomLayer(0.5)(inputs)
    x = layers.Dense(4, activation=custom_fn)(x)
    outputs = layers.Dense(1)(x)
    model = keras.Model(inputs, outputs)
    start(model)
    model.compile(optimizer=keras.optimizers.Adam(), loss="mean_squared_error")
    return model


model = get_model()
model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
path = os.path.join(folder, "model.keras")
model.save(path)
reconstructed = keras.saving.load_model(path)
continued = reconstructed.fit(x, y, batch_size=8, shuffle=False, verbose=0)
original = model.fit(x, y, batch_size=8, shuffle=False, verbose=0)

from_json = keras.models.model_from_json(model.to_json())
from_json.set_weights(model.get_weights())
clone = keras.models.clone_model(model)
clone.set_weights(model.get_weights())
config = layers.Dense(3, activation="relu").get_config()
dense = layers.Dense.from_config(config)
layer = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(CustomLayer(2.0)))

weights_path = os.path.join(folder, "ckpt.weights.h5")
sequential = keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="relu"), layers.Dense(1)])
start(sequential)
sequential.save_weights(weights_path)
other = keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="relu"), layers.Dense(1)])
other.load_weights(weights_path)

results = {
    "loss": original.history["loss"],
    "continued": continued.history["loss"],
    "same": model.predict(x, verbose=0) - from_json.predict(x, verbose=0),
    "clone": model.predict(x, verbose=0) - clone.predict(x, verbose=0),
    "reconstructed": reconstructed.predict(x, verbose=0),
    "units": dense.units,
    "factor": layer.factor,
    "weights": other.predict(x, verbose=0) - sequential.predict(x, verbose=0),
    "squares": np.asarray(custom_fn(ops.convert_to_tensor([1.0, 2.0]))),
}
