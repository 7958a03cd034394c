"""Sums spelled out by an encoder and a decoder of LSTM layers: RepeatVector, return_sequences, argmax of outputs."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start

chars = "0123456789+ "
indices = {char: i for i, char in enumerate(chars)}
digits, maxlen = 2, 5
rng = np.random.default_rng(16)
pairs = rng.integers(0, 100, (48, 2))
questions = [f"{a}+{b}".ljust(maxlen) for a, b in pairs]
answers = [str(a + b).ljust(digits + 1) for a, b in pairs]


def encode(text, rows):
    x = np.zeros((rows, len(chars)), dtype="float32")
    for i, char in enumerate(text):
        x[i, indices[char]] = 1
    return x


x = np.stack([encode(question, maxlen) for question in questions])
y = np.stack([encode(answer, digits + 1) for answer in answers])

model = keras.Sequential()
model.add(layers.Input((maxlen, len(chars))))
model.add(layers.LSTM(12))
model.add(layers.RepeatVector(digits + 1))
for _ in range(1):
    model.add(layers.LSTM(12, return_sequences=True))
model.add(layers.Dense(len(chars), activation="softmax"))
start(model)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
first = model.fit(x, y, batch_size=16, epochs=1, shuffle=False, validation_data=(x[:8], y[:8]), verbose=0)
second = model.fit(x, y, batch_size=16, epochs=2, initial_epoch=1, shuffle=False, verbose=0)
preds = np.argmax(model.predict(x[:4], verbose=0), axis=-1)

results = {
    "first": first.history,
    "second": second.history,
    "epochs": second.epoch,
    "predictions": preds,
    "softmax": np.asarray(ops.softmax(model.predict(x[:2], verbose=0))),
}
