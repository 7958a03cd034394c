"""Tables with columns of numbers and words: preprocessing layers that adapt, and a model over their outputs."""

import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(12)
age = rng.normal(50, 10, (40, 1)).astype("float32")
cholesterol = rng.normal(200, 30, (40, 1)).astype("float32")
kind = rng.integers(0, 4, (40, 1))
target = rng.integers(0, 2, (40, 1))

normalizer = layers.Normalization()
normalizer.adapt(np.concatenate([age, cholesterol], axis=1))
encoder = layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")

numbers = keras.Input((2,), name="numbers")
kinds = keras.Input((1,), name="kinds", dtype="int64")
x = layers.concatenate([normalizer(numbers), encoder(kinds)])
x = layers.Dense(8, activation="relu")(x)
x = layers.Dropout(0.0)(x)
output = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model([numbers, kinds], output)
values = rng.normal(0, 0.2, 100)
for weight in model.trainable_weights:
    size = int(np.prod(weight.shape))
    weight.assign(np.resize(values, size).reshape(tuple(weight.shape)).astype("float32"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")])
inputs = {"numbers": np.concatenate([age, cholesterol], axis=1), "kinds": kind}
history = model.fit(inputs, target, batch_size=8, epochs=2, shuffle=False, verbose=0)

results = {
    "normalized": normalizer(ops.convert_to_tensor(np.concatenate([age, cholesterol], axis=1))),
    "one hot": encoder(ops.convert_to_tensor(kind)),
    "loss": history.history["loss"],
    "auc": history.history["auc"],
    "predictions": model.predict(inputs, verbose=0),
}
