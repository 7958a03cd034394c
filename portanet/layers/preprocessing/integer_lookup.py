"""Integers as indices in a vocabulary."""

from __future__ import annotations

import operator
from numbers import Integral
from typing import Any

from portanet import checks
from portanet.layers.preprocessing.index_lookup import IndexLookup


class IntegerLookup(IndexLookup):
    """Integers as their indices in a vocabulary, or as vectors over it; as `keras.layers.IntegerLookup`.

    It is applied to data, or stands at the entrance of a graph, after `Input(shape, dtype="int64")`: `fit`, `evaluate`
    and `predict` compute it on the host.

    Args:
        max_tokens: Largest size of the vocabulary, including special tokens; by default there is no limit.
        num_oov_indices: Number of indices for unknown integers; of several, `oov_method` chooses. 0: an error.
        mask_token: Integer with index 0; None for none.
        oov_token: What unknown indices return with `invert`.
        vocabulary: List of integers, or the path of a text file with one per line; by default set by `adapt`.
        vocabulary_dtype: Must be `"int64"`.
        idf_weights: Weights of the vocabulary, for `"tf_idf"`.
        invert: Whether to return the integers for indices.
        output_mode: `"int"`, or vectors over the vocabulary: `"one_hot"`, `"multi_hot"`, `"count"`, `"tf_idf"`.
        sparse: Must be False: arrays are dense.
        pad_to_max_tokens: Whether vectors have `max_tokens` elements.
        oov_method: What chooses among several indices: `"floormod"`, `value % num_oov_indices`; or `"farmhash"`, a hash
            of the decimal digits.
        salt: Key of the hash, an integer or a pair of them: SipHash in place of FarmHash.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: integers of shape (batch, ...). Output: int32 of the same shape; or floating-point vectors, shape
    (batch, vocabulary), for `"one_hot"` (batch, ..., vocabulary).

    Example:
        >>> from portanet import layers
        >>> layers.IntegerLookup(vocabulary=[12, 36, 1138])([[36, 5]]).tolist()
        [[2, 0]]
    """

    _keys = "integers"
    input_dtype = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.vocabulary_dtype = checks.choice("vocabulary_dtype", vocabulary_dtype, ("int64",), self)
        self.oov_method = checks.choice("oov_method", oov_method, ("floormod", "farmhash"), self)
        if salt is not None and oov_method != "farmhash":
            raise checks.invalid("salt", salt, "None, except for oov_method='farmhash'", self)
        self._set_up(
            max_tokens,
            num_oov_indices,
            None if mask_token is None else checks.integer("mask_token", mask_token, self),
            checks.integer("oov_token", oov_token, self),
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            pad_to_max_tokens,
            sparse,
            salt,
        )

    def _bucket(self, value: Any) -> int:
        return super()._bucket(value if self.oov_method == "floormod" else str(value))

    def _token(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip().lstrip("-").isdigit():  # from a file
            return int(value)
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise checks.invalid("vocabulary", value, "a list of integers", self)
        return operator.index(value)
