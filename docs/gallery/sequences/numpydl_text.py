"""NumPyDL's scripts for text
===========================

Kinds of questions, by a convolutional network and by LSTMs; and the next character of a text, by simple recurrent
networks and by an LSTM.

Source: NumpyDL, `examples/cnn_sentence_classification.py`, `lstm_sentence_classification.py`, `rnn-character-lm.py` and
`lstm-character-lm.py`.
"""

import os
import pydoc_data.topics
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.datasets import read_text, read_trec
from portanet.preprocessing import Tokenizer
from portanet.utils import pad_sequences, to_categorical

# %%
# The layers
# ----------
# =================================================  ==================================================
# NumpyDL (`portanet.compat.numpydl`)                portanet
# =================================================  ==================================================
# ``Embedding(nb_batch=, nb_seq=, n_out=,`` ...      ``Embedding(words, 200)``
# ``DimShuffle(1)``, ``Convolution(100, (2, 200))``  ``Conv1D(100, 2)``
# ``MeanPooling((19, 1))``, ``Flatten()``            ``GlobalAveragePooling1D()``
# ``BatchLSTM(n_out=400, return_sequence=True)``     ``LSTM(400, return_sequences=True)``
# ``SimpleRNN(n_out=200, return_sequence=True)``     ``SimpleRNN(200, return_sequences=True)``
# ``SGD(lr=0.00001, clip=5)``                        ``SGD(0.00001, clipvalue=5)``
# =================================================  ==================================================
#
# Kinds of questions
# ------------------
# The scripts read 500 questions, TREC_10.label: set the environment variable TREC to the path of that file. Without it,
# questions made from patterns stand in, of three of its six kinds.

TREC = os.environ.get("TREC", "")
PATTERNS = {
    "HUM": ("Who {verb} the {thing}", "Which person {verb} this {thing}"),
    "LOC": ("Where was the {thing} {verb}", "What city has the oldest {thing}"),
    "NUM": ("How many people {verb} the {thing}", "When was the {thing} {verb}", "What does a {thing} cost"),
}
VERBS = ("built", "found", "painted", "wrote", "sold", "invented", "lost", "moved")
THINGS = ("bridge", "book", "tower", "engine", "ship", "song", "clock", "radio", "map", "wall")

DATA = tuple[np.ndarray, np.ndarray, int]


def questions(count: int = 500, length: int = 20, path: str = TREC) -> DATA:
    """Numbers of words (count, 20) with zeros in front, one-hot kinds, and how many words there are."""
    if path:
        texts, kinds, _ = read_trec(path)
    else:
        generator = np.random.default_rng(0)
        kinds = [str(kind) for kind in generator.choice(list(PATTERNS), count)]
        texts = [
            str(generator.choice(PATTERNS[kind])).format(verb=generator.choice(VERBS), thing=generator.choice(THINGS))
            for kind in kinds
        ]
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    x = pad_sequences(tokenizer.texts_to_sequences(texts), length, truncating="post")
    names = sorted(set(kinds))
    return x, to_categorical([names.index(kind) for kind in kinds], len(names)), int(x.max()) + 1


def convolutional(words: int, kinds: int, size: int = 200, filters: int = 100) -> Any:
    """The first script: windows of two words, averaged over the sentence."""
    portanet.random.set_seed(0)
    return portanet.Sequential(
        [
            layers.Embedding(words, size),
            layers.Conv1D(filters, 2, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(kinds, activation="softmax"),
        ]
    )


def recurrent(words: int, kinds: int, size: int = 200) -> Any:
    """The second script: two LSTMs, averaged over the sentence. `size` is 200 there, and twice that in the first."""
    portanet.random.set_seed(0)
    return portanet.Sequential(
        [
            layers.Embedding(words, size),
            layers.LSTM(2 * size, return_sequences=True),
            layers.LSTM(size, return_sequences=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(kinds, activation="softmax"),
        ]
    )


def classify(model: Any, data: DATA, optimizer: Any, epochs: int) -> Any:
    """The history of a training with the script's batches of 30; the last tenth is for validation."""
    x, y, _ = data
    loss = portanet.losses.CategoricalCrossentropy(reduction="sum")
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model.fit(x, y, batch_size=30, epochs=epochs, validation_split=0.1, verbose=0)


sentences = questions()
kinds, words = sentences[1].shape[1], sentences[2]
by_windows = classify(convolutional(words, kinds), sentences, portanet.optimizers.SGD(0.01), 15)
by_memory = classify(recurrent(words, kinds, size=32), sentences, portanet.optimizers.RMSprop(0.001), 15)
plot.history({"Conv1D": by_windows, "LSTM": by_memory}, names=["accuracy"])
for name, history in (("Conv1D", by_windows), ("LSTM", by_memory)):
    print(f"{name}: validation accuracy {history.history['val_accuracy'][-1]:.3f}")

# %%
# On these patterns both find all kinds; TREC's questions are harder. The LSTMs are smaller here than in the script (32
# and 64 units, not 200 and 400), so that the page takes seconds.
#
# The next character
# ------------------
# 800 pieces of 30 characters of a text; the network says which one comes next. The scripts read Shakespeare: set the
# environment variable TEXT to the path of a file. Without it, Python's own help texts stand in.

TEXT = os.environ.get("TEXT", "")


def characters(count: int = 800, steps: int = 30, path: str = TEXT) -> tuple[np.ndarray, np.ndarray]:
    """One-hot characters (count, steps, characters), and the next ones (count, characters)."""
    text = read_text(path) if path else "".join(pydoc_data.topics.topics.values())[:200_000]
    alphabet = {character: i for i, character in enumerate(sorted(set(text)))}
    numbers = np.asarray([alphabet[character] for character in text])
    starts = np.random.default_rng(0).integers(0, len(text) - steps - 1, count)
    pieces = numbers[starts[:, None] + np.arange(steps + 1)]
    rows = np.eye(len(alphabet), dtype="float32")
    return rows[pieces[:, :-1]], rows[pieces[:, -1]]


def simple(steps: int, letters: int, units: int = 200) -> Any:
    """The third script: two simple recurrent layers."""
    portanet.random.set_seed(0)
    return portanet.Sequential(
        [
            layers.Input((steps, letters)),
            layers.SimpleRNN(units, return_sequences=True),
            layers.SimpleRNN(units),
            layers.Dense(letters, activation="softmax"),
        ]
    )


def lstm(steps: int, letters: int, units: int = 300) -> Any:
    """The fourth script: an LSTM."""
    portanet.random.set_seed(0)
    return portanet.Sequential(
        [layers.Input((steps, letters)), layers.LSTM(units), layers.Dense(letters, activation="softmax")]
    )


def predict_next(model: Any, data: tuple[np.ndarray, np.ndarray], optimizer: Any, epochs: int) -> list[float]:
    """The mean loss of a character, by epoch, with the script's batches of 40."""
    model.compile(optimizer, "categorical_crossentropy")
    return model.fit(*data, batch_size=40, epochs=epochs, verbose=0).history["loss"]


pieces = characters()
steps, letters = pieces[0].shape[1:]
curves = {
    "SimpleRNN, Adam": predict_next(
        simple(steps, letters, 100), pieces, portanet.optimizers.Adam(0.003, clipnorm=1.0), 8
    ),
    "LSTM, Adam": predict_next(lstm(steps, letters, 100), pieces, portanet.optimizers.Adam(0.003, clipnorm=1.0), 8),
    "LSTM, the script's SGD": predict_next(
        lstm(steps, letters, 100), pieces, portanet.optimizers.SGD(40 * 1e-5, clipvalue=5), 3
    ),
}
figure, ax = plt.subplots(figsize=(6, 3.5))
for name, losses in curves.items():
    ax.plot(range(1, len(losses) + 1), losses, "o-", label=name)
    print(f"{name:22} {losses[0]:.3f} to {losses[-1]:.3f}; all {letters} characters alike: {np.log(letters):.3f}")
ax.set(xlabel="epoch", ylabel="loss of a character")
ax.legend()

# %%
# With the scripts' rate of 0.00001 (times 40, since this loss is a mean over a batch) next to nothing happens; with
# Adam, the networks soon know which characters are frequent, and then which ones follow each other. For text that
# reads well, more of it is needed, and minutes.
plt.show()
