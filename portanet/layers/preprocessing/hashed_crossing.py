"""Combinations of categories as bins, by a hash."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.layers.preprocessing.encoding import encode, encoded_shape
from portanet.layers.preprocessing.fingerprints import crossed
from portanet.layers.preprocessing.host_layer import HostLayer, strings_of


class HashedCrossing(HostLayer):
    """The values of several features together as one of `num_bins` bins; as `keras.layers.HashedCrossing`.

    It is applied to data, or stands at the entrance of a graph, after `Input(shape, dtype="string")`: `fit`, `evaluate`
    and `predict` compute it on the host, since array libraries have no strings.

    Args:
        num_bins: Number of bins.
        output_mode: `"int"` or `"one_hot"`.
        sparse: Must be False: arrays are dense.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: list of features, strings or integers, each of shape (batch,) or (batch, 1). Output: int32 of that shape; or
    vectors, shape (batch, num_bins).

    Example:
        >>> from portanet import layers
        >>> layers.HashedCrossing(5)([["A", "B", "A"], [101, 101, 102]]).tolist()
        [1, 4, 3]
    """

    def __init__(self, num_bins: int, output_mode: str = "int", sparse: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.num_bins = checks.positive_int("num_bins", num_bins, self)
        self.output_mode = checks.choice("output_mode", output_mode, ("int", "one_hot"), self)
        self.sparse = checks.dense("sparse", sparse, self)

    def read(self, x: Any) -> Any:
        if not isinstance(x, (list, tuple)) or len(x) < 2:
            raise checks.invalid("x", x, "a list of at least two features", self)
        features = [strings_of(feature, self) for feature in x]
        shape = features[0].shape
        if any(feature.shape != shape for feature in features) or len(shape) > 2 or shape[1:] not in ((), (1,)):
            raise ValueError(
                f"Layer '{self.name}' takes features of one shape, (batch,) or (batch, 1). "
                f"Received: shapes {[feature.shape for feature in features]}"
            )
        return features

    def on_host(self, x: Any) -> HostArray:
        rows = zip(*(feature.reshape(-1).tolist() for feature in x), strict=True)
        indices = to_host([crossed(row, self.num_bins) for row in rows]).astype("int32").reshape(x[0].shape)
        return indices if self.output_mode == "int" else encode(indices, self.num_bins, "one_hot", "float32")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape[0], self.num_bins, self.output_mode)
