"""Strings as indices in a vocabulary."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.layers.preprocessing.index_lookup import IndexLookup


class StringLookup(IndexLookup):
    """Strings as their indices in a vocabulary, or as vectors over it; as `keras.layers.StringLookup`.

    It is applied to data, or stands at the entrance of a graph, after `Input(shape, dtype="string")`: `fit`, `evaluate`
    and `predict` compute it on the host, since array libraries have no strings.

    Args:
        max_tokens: Largest size of the vocabulary, including special tokens; by default there is no limit.
        num_oov_indices: Number of indices for unknown strings; if there are several, a hash chooses. 0: an error.
        mask_token: String with index 0, such as padding; None for none.
        oov_token: What unknown indices return with `invert`.
        vocabulary: List of strings, or the path of a text file with one per line; by default set by `adapt`.
        idf_weights: Weights of the vocabulary, for `"tf_idf"`.
        invert: Whether to return strings for indices.
        output_mode: `"int"`, or vectors over the vocabulary: `"one_hot"`, `"multi_hot"`, `"count"`, `"tf_idf"`.
        pad_to_max_tokens: Whether vectors have `max_tokens` elements.
        sparse: Must be False: arrays are dense.
        encoding: Must be `"utf-8"`.
        salt: Key of the hash of unknown strings, an integer or a pair of them: SipHash in place of FarmHash.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: strings of shape (batch, ...). Output: int32 of the same shape; or floating-point vectors, shape
    (batch, vocabulary), for `"one_hot"` (batch, ..., vocabulary).

    Example:
        >>> from portanet import layers
        >>> layer = layers.StringLookup()
        >>> layer.adapt(["a", "b", "a"])
        >>> layer.get_vocabulary()
        ['[UNK]', 'a', 'b']
        >>> layer([["b", "x"]]).tolist()
        [[2, 0]]
    """

    _keys = "strings"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        *,
        salt: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.encoding = checks.choice("encoding", encoding, ("utf-8",), self)
        if mask_token is not None and not isinstance(mask_token, str):
            raise checks.invalid("mask_token", mask_token, "a string or None", self)
        if not isinstance(oov_token, str):
            raise checks.invalid("oov_token", oov_token, "a string", self)
        self._set_up(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            pad_to_max_tokens,
            sparse,
            salt,
        )
