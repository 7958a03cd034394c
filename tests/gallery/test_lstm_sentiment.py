"""Ketkar, listing 7-8."""

from __future__ import annotations

import numpy as np

import portanet
from tests.gallery.pages import load

page = load("sequences/lstm_sentiment")


def test_the_network_is_the_listings() -> None:
    with portanet.use_backend("numpy"):
        model = page.network()
        model.build((None, 80))
        assert model.count_params() == 20_000 * 128 + 4 * 128 * (128 + 128 + 1) + 128 + 1


def test_negation_turns_opinions_round() -> None:
    texts, labels = page.reviews(200)
    for text, label in zip(texts, labels, strict=True):
        words = text.split()
        assert label == ((words[-1] in page.GOOD) != ("not" in words))
    assert 0.4 < np.mean(labels) < 0.6


def test_training() -> None:
    with portanet.use_backend("numpy"):
        model, history, accuracy = page.train(page.data(count=200), words=40, size=16, epochs=2)
        answers = page.word_by_word(model, page.SENTENCES[0])
    assert np.all(np.isfinite(history.history["loss"]))
    assert history.history["val_accuracy"][-1] == accuracy
    assert len(answers) == 5
    assert all(0 < answer < 1 for answer in answers)
