from __future__ import annotations

import numpy as np
import pytest

from portanet.preprocessing import Tokenizer

TEXTS = ["The cat sat on the mat.", "The dog; the cat!"]


def test_numbers_go_by_frequency() -> None:
    tokens = Tokenizer()
    tokens.fit_on_texts(TEXTS)
    assert tokens.word_index == {"the": 1, "cat": 2, "sat": 3, "on": 4, "mat": 5, "dog": 6}
    assert tokens.word_counts["the"] == 4
    assert tokens.vocabulary_size == 7
    assert tokens.texts_to_sequences(["the dog ran", ""]) == [[1, 6], []]
    assert tokens.sequences_to_texts([[1, 6, 0, 99]]) == ["the dog"]


def test_rare_words_are_left_out_or_stand_for_the_unknown() -> None:
    few = Tokenizer(num_words=3)
    few.fit_on_texts(TEXTS)
    assert few.texts_to_sequences(["the cat sat"]) == [[1, 2]]
    assert few.vocabulary_size == 3
    known = Tokenizer(num_words=3, oov_token="?")
    known.fit_on_texts(TEXTS)
    assert known.texts_to_sequences(["the cat sat quietly"]) == [[2, 1, 1, 1]]


def test_characters() -> None:
    tokens = Tokenizer(char_level=True, lower=False)
    tokens.fit_on_texts(["aab A."])
    assert tokens.word_index["a"] == 1
    assert set(tokens.word_index) == set("ab A.")
    assert tokens.sequences_to_texts(tokens.texts_to_sequences(["Aba."])) == ["Aba."]


def test_rows() -> None:
    tokens = Tokenizer()
    tokens.fit_on_texts(["a a b"])
    np.testing.assert_array_equal(tokens.texts_to_matrix(["a a b"]), [[0, 1, 1]])
    np.testing.assert_array_equal(tokens.texts_to_matrix(["a a b"], "count"), [[0, 2, 1]])
    np.testing.assert_allclose(tokens.texts_to_matrix(["a a b", ""], "freq"), [[0, 2 / 3, 1 / 3], [0, 0, 0]])


def test_counting_goes_on_and_is_kept() -> None:
    tokens = Tokenizer(lower=False, num_words=10)
    tokens.fit_on_texts(["B"])
    tokens.fit_on_texts(["A A"])
    assert tokens.word_index == {"A": 1, "B": 2}
    twin = Tokenizer.from_json(tokens.to_json())
    assert (twin.word_index, twin.get_config()) == (tokens.word_index, tokens.get_config())
    assert twin.word_counts == tokens.word_counts


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: Tokenizer(num_words=0), ValueError, "`num_words` of Tokenizer must be a positive integer. Received: "),
        (lambda: Tokenizer(split=""), ValueError, "`split`"),
        (lambda: Tokenizer().fit_on_texts("one text"), TypeError, "list of texts.*Received: 'one text'"),
        (lambda: Tokenizer().fit_on_texts([3]), TypeError, "must be strings. Received: 3"),
        (lambda: Tokenizer().texts_to_sequences(["a"]), RuntimeError, "fit_on_texts"),
    ],
)
def test_bad_input(use, error, message) -> None:
    with pytest.raises(error, match=message):
        use()
    tokens = Tokenizer()
    tokens.fit_on_texts(["a"])
    with pytest.raises(ValueError, match=r"`mode`.*Received: mode='tfidf'"):
        tokens.texts_to_matrix(["a"], "tfidf")
