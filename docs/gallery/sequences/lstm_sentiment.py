"""An LSTM that reads opinions
============================

The book's listing reads 25,000 film reviews. This page trains the same network on small reviews made from a grammar,
with a negation that turns the opinion round, so that order matters; one parameter reads the real reviews instead.

Source: Ketkar, listing 7-8 (figure 7-6).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.preprocessing import Tokenizer
from portanet.utils import pad_sequences

# %%
# Reviews
# -------
# The book: `imdb.load_data(nb_words=20000)` and `pad_sequences(maxlen=80)`. `portanet.datasets.imdb.load_data` reads
# the published file, which it downloads once. Without network, sentences like "the plot was not very good" stand in:
# an odd number of negations turns the opinion round.

THINGS = ["film", "plot", "cast", "music", "story", "ending", "script", "scene", "hero", "joke"]
GOOD = ["good", "great", "fine", "funny", "clever", "moving"]
BAD = ["bad", "dull", "weak", "boring", "silly", "flat"]
FILLERS = ["very", "quite", "really", "rather", "so", "too"]


def reviews(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Sentences about one thing, and whether they are positive."""
    generator = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        positive, turned = generator.integers(0, 2, 2)
        words = ["the", str(generator.choice(THINGS)), "was", *(["not"] if turned else [])]
        words += list(generator.choice(FILLERS, generator.integers(0, 3)))
        words.append(str(generator.choice(GOOD if positive else BAD)))
        texts.append(" ".join(map(str, words)))
        labels.append(int(positive != turned))
    return texts, np.asarray(labels)


SPLIT = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def data(imdb: bool = False, words: int = 20_000, length: int = 80, count: int = 2000) -> SPLIT:
    """Numbers of words and labels for training, then for the test."""
    if imdb:
        (x, y), (test_x, test_y) = portanet.datasets.imdb.load_data(num_words=words)
        return pad_sequences(x, length), y, pad_sequences(test_x, length), test_y
    texts, labels = reviews(2 * count)
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    x = pad_sequences(tokenizer.texts_to_sequences(texts), 8)
    return x[:count], labels[:count], x[count:], labels[count:]


# %%
# The network
# -----------
# An embedding of 128 numbers for each word, an LSTM of 128 units with a dropout of 0.2 on inputs and states, and one
# probability. The book: test accuracy 0.8076 after one epoch of 165 s. `train(data(imdb=True))` is that run.


def network(words: int = 20_000, size: int = 128) -> Any:
    """The layers of the listing."""
    return portanet.Sequential(
        [
            layers.Embedding(words, size),
            layers.LSTM(size, dropout=0.2, recurrent_dropout=0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def train(split: SPLIT, words: int = 20_000, size: int = 128, epochs: int = 1) -> tuple[Any, Any, float]:
    """The model, its history, and its accuracy on the test."""
    portanet.random.set_seed(0)
    x, y, test_x, test_y = split
    model = network(words, size)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=32, epochs=epochs, validation_data=(test_x, test_y), verbose=0)
    return model, history, model.evaluate(test_x, test_y, batch_size=32, verbose=0)[1]


split = data()
model, history, accuracy = train(split, words=40, size=64, epochs=8)
plot.history(history)
print(f"accuracy on new sentences {accuracy:.3f}")

# %%
# What it understands
# -------------------
# The probability of "positive" after each word. Watch it turn at the last word, and the other way round behind "not".


def word_by_word(model: Any, text: str) -> list[float]:
    """The model's answer to the first word, the first two words, and so on."""
    texts, _ = reviews(4000)
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    words = text.split()
    parts = [" ".join(words[: i + 1]) for i in range(len(words))]
    return model.predict(pad_sequences(tokenizer.texts_to_sequences(parts), 8))[:, 0].tolist()


SENTENCES = ("the plot was really good", "the plot was not really good", "the music was not so dull")
figure, axes = plt.subplots(1, 3, figsize=(11, 3), sharey=True, layout="constrained")
for ax, text in zip(axes, SENTENCES, strict=True):
    ax.bar(range(len(text.split())), word_by_word(model, text))
    ax.set_xticks(range(len(text.split())), text.split())
    ax.axhline(0.5, color="k", linewidth=0.8)
    ax.set(ylim=(0, 1))
axes[0].set_ylabel("probability of positive")
plt.show()
