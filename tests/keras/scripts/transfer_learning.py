"""Freezing and fine-tuning: a base model inside another, BatchNormalization that stays frozen, two compilations."""

import keras
import numpy as np
from keras import layers

from tests.keras.common import start

rng = np.random.default_rng(10)
x = rng.integers(0, 256, (32, 10, 10, 3)).astype("float32")
y = rng.integers(0, 2, (32, 1))

base_inputs = keras.Input((10, 10, 3))
h = layers.Conv2D(4, 3, use_bias=False)(base_inputs)
h = layers.BatchNormalization()(h)
h = layers.ReLU()(h)
h = layers.SeparableConv2D(6, 3, padding="same")(h)
h = layers.BatchNormalization()(h)
base_model = keras.Model(base_inputs, h, name="base")
base_model.trainable = False

inputs = keras.Input(shape=(10, 10, 3))
scale_layer = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)
h = scale_layer(inputs)
h = base_model(h, training=False)
h = keras.layers.GlobalAveragePooling2D()(h)
h = keras.layers.Dropout(0.0)(h)
outputs = keras.layers.Dense(1)(h)
model = keras.Model(inputs, outputs)
start(model)
frozen_count = len(model.trainable_weights)
model.compile(
    optimizer=keras.optimizers.Adam(),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
frozen = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)

base_model.trainable = True
for layer in base_model.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.trainable = False
thawed_count = len(model.trainable_weights)
model.compile(
    optimizer=keras.optimizers.Adam(1e-5),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
tuned = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)

results = {
    "counts": [frozen_count, thawed_count, len(model.weights), len(model.non_trainable_weights)],
    "frozen": frozen.history,
    "tuned": tuned.history,
    "moving": base_model.layers[2].get_weights()[2],
    "predictions": model.predict(x[:4], verbose=0),
}
