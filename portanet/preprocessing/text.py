"""Text as sequences of integers."""

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
    """Words or characters numbered by how often they occur; as Keras 2's `Tokenizer`.

    The most frequent token has number 1 (or 2, after `oov_token`); 0 is for padding. Tokens that occur equally often
    are numbered as they come.

    Args:
        num_words: Only tokens with numbers below it are used; None for all.
        filters: Characters to leave out (for words only).
        lower: Whether to put text in lower case first.
        split: What separates words.
        char_level: Whether every character is a token; nothing is left out then.
        oov_token: What stands for tokens that are not known; None to leave those out.

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
        if not split:
            raise ValueError(f"Argument `split` must not be empty; for characters: char_level. Received: {split!r}")
        self.num_words = None if num_words is None else checks.positive_int("num_words", num_words, type(self))
        self.filters = filters
        self.lower = checks.boolean("lower", lower, type(self))
        self.split = split
        self.char_level = checks.boolean("char_level", char_level, type(self))
        self.oov_token = oov_token
        self.word_counts: collections.Counter[str] = collections.Counter()
        self.word_index: dict[str, int] = {}

    def tokens(self, text: str) -> list[str]:
        """The tokens of one text."""
        if not isinstance(text, str):
            raise TypeError(f"Texts must be strings. Received: {text!r} (of type {type(text).__name__})")
        text = text.lower() if self.lower else text
        if self.char_level:
            return list(text)
        cleaned = text.translate({ord(character): self.split for character in self.filters})
        return [word for word in cleaned.split(self.split) if word]

    def fit_on_texts(self, texts: Iterable[str]) -> None:
        """Count the tokens of texts, in addition to those counted before, and number them."""
        for text in _several(texts):
            self.word_counts.update(self.tokens(text))
        self._number()

    def _number(self) -> None:
        first = [] if self.oov_token is None else [self.oov_token]
        ordered = [word for word, _ in self.word_counts.most_common() if word != self.oov_token]
        self.word_index = {word: number for number, word in enumerate(first + ordered, start=1)}

    @property
    def vocabulary_size(self) -> int:
        """One more than the largest number in use: the `input_dim` of an `Embedding`."""
        known = len(self.word_index) + 1
        return known if self.num_words is None else min(known, self.num_words)

    def texts_to_sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """Every text as the numbers of its tokens."""
        if not self.word_index:
            raise RuntimeError("The tokenizer has counted no text yet: call fit_on_texts(texts) first.")
        size = self.vocabulary_size
        unknown = None if self.oov_token is None else self.word_index[self.oov_token]
        found = []
        for text in _several(texts):
            numbers = (self.word_index.get(token) for token in self.tokens(text))
            chosen = (unknown if n is None or n >= size else n for n in numbers)
            found.append([n for n in chosen if n is not None])
        return found

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Texts from numbers; padding and unknown numbers are left out."""
        words = {number: word for word, number in self.word_index.items()}
        between = "" if self.char_level else self.split
        return [between.join(words[int(n)] for n in numbers if int(n) in words) for numbers in sequences]

    def texts_to_matrix(self, texts: Iterable[str], mode: str = "binary") -> HostArray:
        """Every text as a row with a column for each token.

        Args:
            texts: The texts.
            mode: What a row holds of each token: `"binary"` for whether it occurs, `"count"` for how often, `"freq"`
                for its share of the text.

        Returns:
            A float32 array of shape (texts, `vocabulary_size`).
        """
        mode = checks.choice("mode", mode, ("binary", "count", "freq"), "texts_to_matrix")
        sequences = self.texts_to_sequences(texts)
        matrix = np.zeros((len(sequences), self.vocabulary_size), dtype="float32")
        for row, numbers in zip(matrix, sequences, strict=True):
            np.add.at(row, np.asarray(numbers, dtype=int), 1)
        if mode == "binary":
            matrix = (matrix > 0).astype("float32")
        elif mode == "freq":
            matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        return matrix

    def to_json(self) -> str:
        """The arguments and what was counted, as text."""
        return json.dumps(
            {"config": self.get_config() | {"num_words": self.num_words}, "word_counts": list(self.word_counts.items())}
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A tokenizer from `to_json()` of another."""
        stored = json.loads(text)
        made = cls(**stored["config"])
        made.word_counts.update({str(word): int(count) for word, count in stored["word_counts"]})
        made._number()
        return made


def _several(texts: Any) -> Iterable[str]:
    if isinstance(texts, str):
        raise TypeError(f"Pass a list of texts, not one text. Received: {texts[:40]!r}")
    return texts  # type: ignore[no-any-return]
