"""Text as integers: cleaned, split into tokens, and looked up in a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.layers.preprocessing.host_layer import strings_of
from portanet.layers.preprocessing.index_lookup import IndexLookup

PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)
SPLIT = ("whitespace", "character", None)


class TextVectorization(IndexLookup):
    """Strings as sequences of indices of their tokens, or as vectors over a vocabulary; as
    `keras.layers.TextVectorization`.

    It is applied to data, or stands at the entrance of a graph, after `Input(shape, dtype="string")`: `fit`, `evaluate`
    and `predict` compute it on the host, since array libraries have no strings.

    Args:
        max_tokens: Largest size of the vocabulary, including padding and unknown; by default there is no limit.
        standardize: `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"`, None, or a function from a NumPy
            array of strings to another.
        split: `"whitespace"`, `"character"`, None, or a function from a string to a list of tokens.
        ngrams: Lengths of the n-grams to make of tokens: a tuple, or the largest; None for the tokens themselves.
        output_mode: `"int"`, or vectors over the vocabulary: `"multi_hot"`, `"count"`, `"tf_idf"`.
        output_sequence_length: Length to which sequences of indices are padded with 0, or cut; by default the longest.
        pad_to_max_tokens: Whether vectors have `max_tokens` elements.
        vocabulary: List of tokens, or the path of a text file with one per line; by default set by `adapt`.
        idf_weights: Weights of the vocabulary, for `"tf_idf"`.
        sparse: Must be False: arrays are dense.
        ragged: Must be False.
        encoding: Must be `"utf-8"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: strings of shape (batch,) or (batch, 1). Output: int32 of shape (batch, length), or vectors, shape
    (batch, vocabulary). One text, not in a list, gives shape (length,) or (vocabulary,).

    Example:
        >>> from portanet import layers
        >>> layer = layers.TextVectorization()
        >>> layer.adapt(["The cat.", "The dog"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'dog', 'cat']
        >>> layer(["The bird", "the cat the"]).tolist()
        [[2, 1, 0], [2, 4, 2]]
    """

    _keys = "strings"

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._set_up(max_tokens, 1, "", "[UNK]", vocabulary, idf_weights, False, output_mode, pad_to_max_tokens, sparse)
        self.ragged = checks.dense("ragged", ragged, self)
        self.encoding = checks.choice("encoding", encoding, ("utf-8",), self)
        self.standardize = self._function("standardize", standardize, STANDARDIZE)
        self.split = self._function("split", split, SPLIT)
        self.ngrams: tuple[int, ...] | None = None
        if ngrams is not None:
            several = isinstance(ngrams, (list, tuple))
            lengths = checks.integers("ngrams", ngrams, None, self, least=1)
            self.ngrams = lengths if several else tuple(range(1, lengths[0] + 1))
        self.output_sequence_length = None
        if output_sequence_length is not None:
            length = checks.positive_int("output_sequence_length", output_sequence_length, self)
            if self.output_mode != "int":
                raise checks.invalid("output_sequence_length", length, "None, except for output_mode='int'", self)
            self.output_sequence_length = length

    def _function(self, name: str, value: Any, known: tuple[Any, ...]) -> Any:
        return value if callable(value) and not isinstance(value, type) else checks.choice(name, value, known, self)

    # Tokens

    def rows_of(self, batch: Any) -> list[list[str]]:
        """The tokens of each string."""
        host = strings_of(batch, self)
        self._check_kind(host)
        if host.ndim > 1 and self.split is not None:
            if host.shape[-1] != 1 or host.ndim > 2:
                raise ValueError(
                    f"Layer '{self.name}' splits strings of shape (batch,) or (batch, 1). Received: shape {host.shape}"
                )
            host = host.reshape(-1)
        host = self._standardized(host.reshape(1) if host.ndim == 0 else host)
        if self.split is None:
            rows = host.reshape(host.shape[0], -1).tolist()
        else:
            rows = [self._split(value) for value in host.tolist()]
        return rows if self.ngrams is None else [_ngrams(row, self.ngrams) for row in rows]

    def _standardized(self, x: HostArray) -> HostArray:
        if callable(self.standardize):
            return strings_of(self.standardize(x), self)
        values = x.reshape(-1).tolist()
        if self.standardize in ("lower_and_strip_punctuation", "lower"):
            values = [value.lower() for value in values]
        if self.standardize in ("lower_and_strip_punctuation", "strip_punctuation"):
            values = [PUNCTUATION.sub("", value) for value in values]
        return to_host(values).astype("U").reshape(x.shape)

    def _split(self, value: str) -> list[str]:
        if self.split == "whitespace":
            return value.split()
        if self.split == "character":
            return list(value)
        split: Callable[[str], Any] = self.split
        return [str(token) for token in split(value)]

    def adapt(  # type: ignore[override]
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Make a vocabulary of the tokens in data: the most frequent first, of equals the larger first.

        Args:
            data: Strings, an array or a list; or a data set or generator of batches of them.
            batch_size: Accepted as in Keras, where it has no influence either.
            steps: Number of batches to take from a data set or generator; by default all.
        """
        self._learn(data, steps)

    # Lookups

    def on_host(self, x: HostArray) -> HostArray:
        if self._tokens is None:
            raise ValueError(f"Layer '{self.name}' has no vocabulary yet; call adapt(data), or pass `vocabulary`.")
        if self._keeps_shape(x.ndim):
            return super().on_host(self._standardized(x))
        rows = [[self._lookup(token) for token in row] for row in self.rows_of(x)]
        length = self.output_sequence_length
        if length is None:
            length = max(map(len, rows), default=0)
        filler = 0 if self.output_mode == "int" else -1
        padded = [(row + [filler] * length)[:length] for row in rows]
        indices = to_host(padded).astype("int64").reshape(len(rows), length)
        result = indices if self.output_mode == "int" else self.encoded(indices)
        return result[0] if x.ndim == 0 else result  # one text has no axis of examples

    def _keeps_shape(self, ndim: int) -> bool:
        """Whether strings are tokens, without an axis of their own."""
        return self.split is None and self.ngrams is None and self.output_sequence_length is None and ndim < 2

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._keeps_shape(len(input_shape)):
            return super().compute_output_shape(input_shape)
        if self.output_mode == "int":
            return (input_shape[0], self.output_sequence_length)
        return (input_shape[0], self._depth())


def _ngrams(tokens: list[str], lengths: tuple[int, ...]) -> list[str]:
    return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]
