"""Data utilities against Keras."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portanet.utils import normalize, pad_sequences, to_categorical

keras = pytest.importorskip("keras")


@given(
    sequences=st.lists(st.lists(st.integers(-9, 9), max_size=6), min_size=1, max_size=5),
    maxlen=st.one_of(st.none(), st.integers(1, 7)),
    padding=st.sampled_from(["pre", "post"]),
    truncating=st.sampled_from(["pre", "post"]),
)
def test_pad_sequences(sequences, maxlen, padding, truncating) -> None:
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": 7}
    expected = keras.utils.pad_sequences(sequences, **options)
    np.testing.assert_array_equal(pad_sequences(sequences, **options), expected)


@given(labels=st.lists(st.integers(0, 5), min_size=1), extra=st.integers(0, 3))
def test_to_categorical(labels, extra) -> None:
    classes = max(labels) + 1 + extra
    np.testing.assert_array_equal(to_categorical(labels, classes), keras.utils.to_categorical(labels, classes))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize(order: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(normalize(x, -1, order), keras.utils.normalize(x, -1, order), rtol=1e-12)
