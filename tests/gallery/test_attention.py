"""Attention over the characters of dates."""

from __future__ import annotations

import datetime

import numpy as np

import portanet
from tests.gallery.pages import load

page = load("sequences/attention")


def test_the_dates_are_encoded_as_they_are_read() -> None:
    x, y, texts = page.dates(20)
    for row, target, text in zip(x, y, texts, strict=True):
        assert "".join(page.CHARACTERS[i] for i in row).rstrip("\0") == text
        written = "".join("0123456789-"[i] for i in target)
        day = datetime.date.fromisoformat(written)
        assert str(day.year) in text
        assert str(day.day) in text


def test_weights_are_shares_of_what_was_read() -> None:
    with portanet.use_backend("numpy"):
        model, attention, history = page.train(examples=64, epochs=1, units=8)
        assert history.history["val_accuracy"][-1] > 1 / 11
        for text, answer, weights in page.look(model, attention, 2):
            assert weights.shape == (len(answer), len(text)) == (10, len(text))
            np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-4)  # padding has no share
