"""Attention: where a network looks while it writes
=================================================

A network reads dates as people write them, "4 March 1987" or "March 4, 1987", and writes 1987-03-04. For each character
that it writes, attention weighs all characters that were read. The map of these weights shows what it looks at.

Source: the articles, "Neural Nets" (F. Tseng): bidirectional encoders, and attention, by which "the decoder has access
to the full spread of inputs"; the layer is that of Bahdanau et al. (2015).
"""

import datetime
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot

CHARACTERS = "\0 ,.0123456789JFMASONDabceghilmnoprstuvy"  # the first is padding
LENGTH = 18
WRITTEN = 10
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip

# %%
# The dates
# ---------
# Characters become numbers, 0 stands for padding. What is to be written has ten characters.


def dates(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Random dates: shape (count, LENGTH) and (count, WRITTEN), integers; and the texts that were encoded."""
    generator = np.random.default_rng(seed)
    x, y, texts = np.zeros((count, LENGTH), "int32"), np.zeros((count, WRITTEN), "int32"), []
    for i, number in enumerate(generator.integers(693_596, 766_644, count)):  # 1900 to 2099
        day = datetime.date.fromordinal(int(number))
        month = MONTHS[day.month - 1]
        forms = (
            f"{day.day} {month} {day.year}",
            f"{month} {day.day}, {day.year}",
            f"{day.day}.{day.month}.{day.year}",
        )
        texts.append(forms[generator.integers(3)])
        x[i, : len(texts[-1])] = [CHARACTERS.index(c) for c in texts[-1]]
        y[i] = ["0123456789-".index(c) for c in f"{day:%Y-%m-%d}"]
    return x, y, texts


# %%
# The network
# -----------
# A bidirectional GRU reads. Another one makes a question for each of the ten places, from what was read at both ends.
# `AdditiveAttention` compares each question with what was read at each character, and returns the mean, weighted by
# that, and the weights.


def network(units: int = 32) -> tuple[portanet.Model, portanet.Model]:
    """The model that writes dates, and one for the weights of its attention, shape (batch, WRITTEN, LENGTH)."""
    inputs = layers.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(len(CHARACTERS), 16, mask_zero=True)(inputs)
    read = layers.Bidirectional(layers.GRU(units, return_sequences=True))(x)
    ends = layers.Bidirectional(layers.GRU(units))(read)
    questions = layers.PositionEmbedding(WRITTEN)(layers.RepeatVector(WRITTEN)(ends))
    questions = layers.GRU(2 * units, return_sequences=True)(questions)
    found, weights = layers.AdditiveAttention()([questions, read], return_attention_scores=True)
    outputs = layers.Dense(11, activation="softmax")(layers.Concatenate()([questions, found]))
    return portanet.Model(inputs, outputs), portanet.Model(inputs, weights)


def train(examples: int = 2_000, epochs: int = 8, units: int = 32) -> tuple[portanet.Model, portanet.Model, Any]:
    """The trained model, the one for its attention, and the history."""
    portanet.random.set_seed(0)
    model, attention = network(units)
    model.compile(portanet.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y, _ = dates(examples)
    validation = dates(200, seed=1)[:2]
    return model, attention, model.fit(x, y, batch_size=64, epochs=epochs, validation_data=validation, verbose=0)


model, attention, history = train()

# %%
# The maps
# --------
# Rows are the characters that are written, columns those that were read. The year, month and day are found wherever
# they stand.


def look(model: portanet.Model, attention: portanet.Model, count: int = 3) -> list[tuple[str, str, np.ndarray]]:
    """For some dates: what was read, what is written, and the weights between them."""
    x, _, texts = dates(count, seed=2)
    answers, weights = model.predict(x, verbose=0).argmax(axis=-1), attention.predict(x, verbose=0)
    written = ["".join("0123456789-"[c] for c in row) for row in answers]
    return [(text, answer, w[:, : len(text)]) for text, answer, w in zip(texts, written, weights, strict=True)]


figure, axes = plt.subplots(1, 3, figsize=(12, 5), layout="constrained")
for ax, (text, answer, weights) in zip(axes, look(model, attention), strict=True):
    plot.attention(weights, list(answer), list(text), ax=ax)
    print(f"{text:18} -> {answer}")

# %%
# Accuracy counts single characters of 200 new dates.
plot.history(history)
print(f"characters right: {history.history['val_accuracy'][-1]:.1%}")
plt.show()
