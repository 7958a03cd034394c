"""Classification of questions by the kind of answer: six classes, ten-fold cross-validation on 500 questions.

Usage: python examples/trec.py TREC_10.label

The file is from https://cogcomp.seas.upenn.edu/Data/QA/QC/ (X. Li and D. Roth 2002).
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

import portanet
from portanet import layers
from portanet.datasets import read_trec
from portanet.preprocessing import Tokenizer
from portanet.utils import pad_sequences

FOLDS, LENGTH = 10, 12


def network(words: int, classes: int) -> Any:
    """A bidirectional network on words."""
    model = portanet.Sequential(
        [
            layers.Input((LENGTH,)),
            layers.Embedding(words, 48, mask_zero=True),
            layers.Dropout(0.4),
            layers.Bidirectional(layers.GRU(32)),
            layers.Dropout(0.4),
            layers.Dense(classes),
        ]
    )
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(portanet.optimizers.Adam(0.005, clipnorm=1.0), loss, metrics=["accuracy"])
    return model


def main() -> None:
    """Print the accuracy of each fold, then over all questions."""
    texts, coarse, _ = read_trec(sys.argv[1])
    names = sorted(set(coarse))
    y = np.asarray([names.index(c) for c in coarse])
    order = np.random.default_rng(0).permutation(len(y))
    correct, start = 0, time.perf_counter()
    for fold in range(FOLDS):
        portanet.random.set_seed(fold)
        test = order[fold::FOLDS]
        train = np.setdiff1d(order, test)
        tokenizer = Tokenizer(oov_token="?")  # words that occur only in test questions stay unknown
        tokenizer.fit_on_texts([texts[i] for i in train])
        x = pad_sequences(tokenizer.texts_to_sequences(texts), LENGTH, padding="post", truncating="post")
        model = network(int(x.max()) + 1, len(names))
        model.fit(x[train], y[train], batch_size=32, epochs=15, verbose=0)
        hits = int((model.predict(x[test]).argmax(axis=1) == y[test]).sum())
        correct += hits
        print(f"fold {fold + 1}: {hits} of {len(test)}", flush=True)
    print(f"accuracy {correct / len(y):.3f} on {len(y)} questions, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
