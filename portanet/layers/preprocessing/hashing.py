"""Strings and integers as bins, by a hash."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.layers.preprocessing.encoding import MODES, encode, encoded_shape
from portanet.layers.preprocessing.fingerprints import bucket
from portanet.layers.preprocessing.host_layer import HostLayer


class Hashing(HostLayer):
    """Strings or integers as one of `num_bins` bins, by the hash that `keras.layers.Hashing` uses.

    It is applied to data, or stands at the entrance of a graph, after `Input(shape, dtype="string")`: `fit`, `evaluate`
    and `predict` compute it on the host, since array libraries have no strings.

    Args:
        num_bins: Number of bins, including the one of masked values.
        mask_value: Value with bin 0, which has no other; None for none.
        salt: Key of the hash, an integer or a pair of them: SipHash in place of FarmHash.
        output_mode: `"int"`, or vectors over the bins as in `CategoryEncoding`.
        sparse: Must be False: arrays are dense.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: strings or integers of shape (batch, ...). Output: int32 of the same shape, or vectors.

    Example:
        >>> from portanet import layers
        >>> layers.Hashing(3)([["A"], ["B"], ["C"]]).tolist()
        [[1], [0], [1]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.num_bins = checks.positive_int("num_bins", num_bins, self)
        if mask_value is not None and not isinstance(mask_value, str):
            mask_value = checks.integer("mask_value", mask_value, self)
        self.mask_value = mask_value
        self.salt = None if salt is None else checks.integers("salt", salt, 2, self)
        self.output_mode = checks.choice("output_mode", output_mode, MODES, self)
        self.sparse = checks.dense("sparse", sparse, self)

    def on_host(self, x: HostArray) -> HostArray:
        indices = to_host([self._bin(value) for value in x.reshape(-1).tolist()]).astype("int32").reshape(x.shape)
        return indices if self.output_mode == "int" else encode(indices, self.num_bins, self.output_mode, "float32")

    def _bin(self, value: str | int) -> int:
        masked = self.mask_value is not None and self.num_bins > 1
        if masked and value == self.mask_value:
            return 0
        return int(masked) + bucket(str(value), self.num_bins - masked, self.salt)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.num_bins, self.output_mode)
