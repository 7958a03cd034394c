"""Tokenization of text to sequences of integers."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.configurable import Configurable

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


class Tokenizer(Configurable):
    """Indexes words or characters by frequency; as Keras 2's `Tokenizer`.

    The most frequent token has index 1 (or 2, after `oov_token`); 0 is for padding. Tokens of equal frequency are
    indexed in order of appearance.

    Args:
        num_words: Only tokens with smaller indices are used; None for all.
        filters: Characters to remove (for words only).
        lower: Whether to convert text to lower case.
        split: Separator of words.
        char_level: Whether every character is a token; `filters` is then ignored.
        oov_token: Replacement of unknown tokens; None to skip them.

    Example:
        >>> tokens = Tokenizer()
        >>> tokens.fit_on_texts(["The cat sat.", "The dog"])
        >>> tokens.texts_to_sequences(["the dog sat", "a cat"])
        [[1, 4, 3], [2]]
        >>> tokens.sequences_to_texts([[1, 2]])
        ['the cat']
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
    ) -> None:
        self.num_words = None if num_words is None else checks.positive_int("num_words", num_words, type(self))
        if not isinstance(filters, str):
            raise checks.invalid("filters", filters, "a string of the characters to remove", type(self))
        self.filters = filters
        self.lower = checks.boolean("lower", lower, type(self))
        self.split = checks.text("split", split, type(self))
        self.char_level = checks.boolean("char_level", char_level, type(self))
        self.oov_token = None if oov_token is None else checks.text("oov_token", oov_token, type(self))
        self.word_counts: collections.Counter[str] = collections.Counter()
        self.word_index: dict[str, int] = {}

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text."""
        if not isinstance(text, str):
            raise TypeError(f"Texts must be strings. Received: {text!r} (of type {type(text).__name__})")
        text = text.lower() if self.lower else text
        if self.char_level:
            return list(text)
        cleaned = text.translate({ord(character): self.split for character in self.filters})
        return [word for word in cleaned.split(self.split) if word]

    def fit_on_texts(self, texts: Iterable[str]) -> None:
        """Add the tokens of texts to the counts, and update the index."""
        for text in _checked(texts):
            self.word_counts.update(self.tokens(text))
        self._index()

    def _index(self) -> None:
        first = [] if self.oov_token is None else [self.oov_token]
        ordered = [word for word, _ in self.word_counts.most_common() if word != self.oov_token]
        self.word_index = {word: index for index, word in enumerate(first + ordered, start=1)}

    @property
    def vocabulary_size(self) -> int:
        """The largest index in use plus 1: the `input_dim` of an `Embedding`."""
        size = len(self.word_index) + 1
        return size if self.num_words is None else min(size, self.num_words)

    def texts_to_sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """The indices of the tokens of each text."""
        if not self.word_index:
            raise RuntimeError("The tokenizer must be fitted first: call fit_on_texts(texts).")
        size = self.vocabulary_size
        unknown = None if self.oov_token is None else self.word_index[self.oov_token]
        sequences = []
        for text in _checked(texts):
            indices = (self.word_index.get(token) for token in self.tokens(text))
            known = (unknown if i is None or i >= size else i for i in indices)
            sequences.append([i for i in known if i is not None])
        return sequences

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The texts of sequences of indices; padding and unknown indices are skipped."""
        words = {index: word for word, index in self.word_index.items()}
        separator = "" if self.char_level else self.split
        return [separator.join(words[int(i)] for i in sequence if int(i) in words) for sequence in sequences]

    def texts_to_matrix(self, texts: Iterable[str], mode: str = "binary") -> HostArray:
        """A matrix with one row per text and one column per token.

        Args:
            texts: The texts.
            mode: `"binary"` for whether the token occurs, `"count"` for how often, `"freq"` for its relative frequency
                in the text.

        Returns:
            A float32 array of shape (texts, `vocabulary_size`).
        """
        mode = checks.choice("mode", mode, ("binary", "count", "freq"), "texts_to_matrix")
        sequences = self.texts_to_sequences(texts)
        matrix = np.zeros((len(sequences), self.vocabulary_size), dtype="float32")
        for row, sequence in zip(matrix, sequences, strict=True):
            np.add.at(row, np.asarray(sequence, dtype=int), 1)
        if mode == "binary":
            matrix = (matrix > 0).astype("float32")
        elif mode == "freq":
            matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        return matrix

    def to_json(self) -> str:
        """The configuration and the counts as a JSON string."""
        return json.dumps(
            {"config": self.get_config() | {"num_words": self.num_words}, "word_counts": list(self.word_counts.items())}
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Create a tokenizer from the result of `to_json()`."""
        document = json.loads(text)
        tokenizer = cls(**document["config"])
        tokenizer.word_counts.update({str(word): int(count) for word, count in document["word_counts"]})
        tokenizer._index()
        return tokenizer


def _checked(texts: Any) -> Iterable[str]:
    if isinstance(texts, str):
        raise TypeError(f"Pass a list of texts, not one text. Received: {texts[:40]!r}")
    return texts  # type: ignore[no-any-return]
