"""Sentiment of padded sequences of words: functional model, Embedding with mask, two bidirectional LSTMs."""

import keras
import numpy as np
from keras import layers

from tests.keras.common import start

max_features = 50
maxlen = 12
rng = np.random.default_rng(1)
sentences = [list(rng.integers(1, max_features, rng.integers(3, 16))) for _ in range(48)]
y_train = rng.integers(0, 2, 48)
x_train = keras.utils.pad_sequences(sentences, maxlen=maxlen)

inputs = keras.Input(shape=(None,), dtype="int32")
x = layers.Embedding(max_features, 8, mask_zero=True)(inputs)
x = layers.Bidirectional(layers.LSTM(6, return_sequences=True))(x)
x = layers.Bidirectional(layers.LSTM(6))(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
start(model)

model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train, y_train, batch_size=16, epochs=2, validation_data=(x_train[:20], y_train[:20]), shuffle=False, verbose=0
)

results = {
    "x": x_train,
    "loss": history.history["loss"],
    "val_loss": history.history["val_loss"],
    "predictions": model.predict(x_train[:8], verbose=0),
}
