"""Models with several inputs and outputs, shared layers, residual connections and operators on symbolic arrays."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start

rng = np.random.default_rng(2)

# Several inputs and outputs, a loss for each by name.
title_input = keras.Input(shape=(None,), name="title", dtype="int32")
body_input = keras.Input(shape=(None,), name="body", dtype="int32")
tags_input = keras.Input(shape=(4,), name="tags")
title_features = layers.LSTM(8)(layers.Embedding(20, 6)(title_input))
body_features = layers.LSTM(5)(layers.Embedding(20, 7)(body_input))
x = layers.concatenate([title_features, body_features, tags_input])
priority_pred = layers.Dense(1, name="priority")(x)
department_pred = layers.Dense(3, name="department")(x)
model = keras.Model(
    inputs=[title_input, body_input, tags_input],
    outputs={"priority": priority_pred, "department": department_pred},
)
start(model)
model.compile(
    optimizer=keras.optimizers.RMSprop(1e-3),
    loss={
        "priority": keras.losses.BinaryCrossentropy(from_logits=True),
        "department": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
    loss_weights={"priority": 1.0, "department": 0.2},
)
data = {
    "title": rng.integers(20, size=(32, 5)),
    "body": rng.integers(20, size=(32, 9)),
    "tags": rng.integers(2, size=(32, 4)).astype("float32"),
}
targets = {"priority": rng.random((32, 1)), "department": rng.integers(2, size=(32, 3))}
history = model.fit(data, targets, epochs=2, batch_size=8, shuffle=False, verbose=0)

# A toy residual network with operators and indices in the graph.
inputs = keras.Input(shape=(16, 16, 3), name="img")
x = inputs / 255.0 - 0.5
x = layers.Conv2D(8, 3, activation="relu")(x)
block_1_output = layers.MaxPooling2D(3)(x)
x = layers.Conv2D(8, 3, activation="relu", padding="same")(block_1_output)
x = layers.Conv2D(8, 3, padding="same")(x)
block_2_output = ops.relu(layers.add([x, block_1_output]))
scale = 1 + ops.mean(block_2_output, axis=(1, 2), keepdims=True)
x = layers.GlobalAveragePooling2D()(block_2_output * scale)
x = ops.concatenate([x, x[:, :2] ** 2], axis=-1)
outputs = layers.Dense(4)(x)
resnet = keras.Model(inputs, outputs, name="toy_resnet")
start(resnet)
resnet.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["acc"],
)
images = rng.integers(0, 256, (24, 16, 16, 3)).astype("float32")
labels = rng.integers(0, 4, 24)
resnet_history = resnet.fit(images, labels, batch_size=8, epochs=2, shuffle=False, verbose=0)

# A layer that is called twice, and a model that extracts features.
shared = layers.Dense(3, activation="tanh")
a, b = keras.Input((6,)), keras.Input((6,))
difference = abs(shared(a) - shared(b))
siamese = keras.Model([a, b], 1 - ops.sigmoid(ops.sum(difference, axis=-1, keepdims=True)))
start(siamese)
features = keras.Model(resnet.inputs, [layer.output for layer in resnet.layers[1:4]])
left, right = rng.random((4, 6)).astype("float32"), rng.random((4, 6)).astype("float32")
restored = keras.Model.from_config(resnet.get_config())
restored.set_weights(resnet.get_weights())

results = {
    "loss": history.history["loss"],
    "outputs": model.predict(data, verbose=0),
    "resnet loss": resnet_history.history["loss"],
    "resnet accuracy": resnet_history.history["acc"],
    "resnet": resnet.predict(images[:4], verbose=0),
    "restored": restored.predict(images[:4], verbose=0),
    "siamese": siamese.predict([left, right], verbose=0),
    "features": [array.mean() for array in features.predict(images[:4], verbose=0)],
}
