"""The base class of the lookup of strings and integers in a vocabulary."""

from __future__ import annotations

import math
import pathlib
from collections import Counter
from typing import Any, Self

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.layers.preprocessing.adapting import batches_of
from portanet.layers.preprocessing.encoding import encode, encoded_shape
from portanet.layers.preprocessing.fingerprints import bucket
from portanet.layers.preprocessing.host_layer import HostLayer, strings_of

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class IndexLookup(HostLayer):
    """Values as their indices in a vocabulary; see `StringLookup` and `IntegerLookup`."""

    _keys: str
    """What the vocabulary holds, for messages."""
    expected_size: int | None = None
    """The size of a vocabulary that is still to be read from a file."""

    def _set_up(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        salt: Any = None,
    ) -> None:
        self.max_tokens = None if max_tokens is None else checks.integer("max_tokens", max_tokens, self, least=2)
        self.num_oov_indices = checks.integer("num_oov_indices", num_oov_indices, self, least=0)
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert = checks.boolean("invert", invert, self)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(str(output_mode), output_mode)
        self.output_mode = checks.choice("output_mode", output_mode, OUTPUT_MODES, self)
        self.pad_to_max_tokens = checks.boolean("pad_to_max_tokens", pad_to_max_tokens, self)
        self.sparse = checks.dense("sparse", sparse, self)
        self.salt = None if salt is None else checks.integers("salt", salt, 2, self)
        if self.invert and self.output_mode != "int":
            raise checks.invalid("output_mode", output_mode, "'int' where `invert` is True", self)
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise checks.invalid("max_tokens", max_tokens, "given where `pad_to_max_tokens` is True", self)
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise checks.invalid("idf_weights", idf_weights, "None, except for output_mode='tf_idf'", self)
        self._tokens: list[Any] | None = None
        self._index: dict[Any, int] = {}
        self.idf_weights: list[float] | None = None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # The vocabulary

    def _special(self) -> list[Any]:
        """The tokens before those of the vocabulary: the mask, then one per index of unknown values."""
        masks = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return masks + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The vocabulary, in the order of the indices."""
        tokens = [] if self._tokens is None else self._tokens
        return self._special() + tokens if include_special_tokens else list(tokens)

    @property
    def has_vocabulary(self) -> bool:
        """Whether a vocabulary was given or learned."""
        return self._tokens is not None

    def vocabulary_size(self) -> int:
        """Number of indices, including those of masked and unknown values."""
        if self._tokens is None and self.expected_size is not None:
            return self.expected_size
        return len(self._special()) + len(self._tokens or ())

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: The tokens, a list or an array, with or without the special ones; or the path of a text file
                with a token per line.
            idf_weights: For `"tf_idf"`: the weight of each.
        """
        if isinstance(vocabulary, (str, pathlib.Path)):
            path = pathlib.Path(vocabulary)
            if not path.is_file():
                raise checks.invalid("vocabulary", vocabulary, "a list of tokens, or the path of a file", self)
            vocabulary = path.read_text(encoding="utf-8").splitlines()
        tokens = [self._token(value) for value in self._listed("vocabulary", vocabulary)]
        special = self._special()
        whole = bool(special) and tokens[: len(special)] == special
        tokens = tokens[len(special) :] if whole else tokens
        if not tokens:
            raise checks.invalid("vocabulary", vocabulary, "a list of at least one token", self)
        repeated = [token for token, times in Counter(tokens).items() if times > 1]
        reserved = [token for token in tokens if self.mask_token is not None and token == self.mask_token]
        reserved += [token for token in tokens if self.invert and token == self.oov_token]
        for tokens_at_fault, expected in ((repeated, "without repeated tokens"), (reserved, "without special tokens")):
            if tokens_at_fault:
                raise ValueError(
                    f"Argument `vocabulary` of layer '{self.name}' must be {expected}, unless it begins with "
                    f"{special}. Received: {tokens_at_fault[:5]} in it"
                )
        if self.max_tokens is not None and len(special) + len(tokens) > self.max_tokens:
            raise ValueError(
                f"Argument `vocabulary` of layer '{self.name}' must have at most {self.max_tokens - len(special)} "
                f"tokens besides the special ones. Received: {len(tokens)}"
            )
        weights = None
        if self.output_mode == "tf_idf":
            if idf_weights is None:
                raise checks.invalid("idf_weights", None, "given with the vocabulary for output_mode='tf_idf'", self)
            given = checks.numbers("idf_weights", self._listed("idf_weights", idf_weights), of=self)
            if len(given) != len(tokens) + len(special) * whole:
                raise checks.invalid("idf_weights", idf_weights, f"a list of {len(tokens)} weights", self)
            weights = given if whole else [sum(given) / len(given)] * len(special) + given
        elif idf_weights is not None:
            raise checks.invalid("idf_weights", idf_weights, "None, except for output_mode='tf_idf'", self)
        self._take(tokens, weights)

    def _take(self, tokens: list[Any], weights: list[float] | None) -> None:
        self._tokens, self.idf_weights = tokens, weights
        first = len(self._special())
        self._index = {token: first + i for i, token in enumerate(tokens)}

    def _listed(self, name: str, values: Any) -> list[Any]:
        if hasattr(values, "shape"):
            values = to_host(values).tolist()
        if not isinstance(values, (list, tuple)):
            raise checks.invalid(name, values, "a list", self)
        return list(values)

    def _token(self, value: Any) -> Any:
        """A token of the vocabulary, checked."""
        if isinstance(value, bytes):
            value = value.decode()
        if not isinstance(value, str):
            raise checks.invalid("vocabulary", value, "a list of strings", self)
        return value

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make a vocabulary of the values in data: the most frequent first, of equals the larger first.

        Args:
            data: Values, an array or a list; or a data set or generator of batches of them.
            steps: Number of batches to take from a data set or generator; by default all.
        """
        self._learn(data, steps)

    def _learn(self, data: Any, steps: int | None) -> None:
        whole = isinstance(data, (list, tuple, str)) or hasattr(data, "shape")
        counts: Counter[Any] = Counter()
        documents: Counter[Any] = Counter()
        number = 0
        for batch in [data] if whole else batches_of(data, self, steps):
            for row in self.rows_of(batch):
                counts.update(row)
                documents.update(set(row))
                number += 1
        for token in (self.mask_token, self.oov_token):
            counts.pop(token, None)
        ordered = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        if self.max_tokens is not None:
            ordered = ordered[: self.max_tokens - len(self._special())]
        weights = None
        if self.output_mode == "tf_idf":
            own = [math.log(1 + number / (1 + documents[token])) for token in ordered]
            front = sum(own) / len(own) if own else 0.0
            weights = [front] * len(self._special()) + own
        self._take(ordered, weights)

    def rows_of(self, batch: Any) -> list[list[Any]]:
        """The documents of a batch, which are its rows; of one axis, each value is one."""
        host = strings_of(batch, self)
        self._check_kind(host)
        return host.reshape(host.shape[0] if host.ndim > 1 else host.size, -1).tolist() if host.size else []

    # Lookups

    @property
    def output_dtype(self) -> str:
        return "string" if self.invert and self._keys == "strings" else super().output_dtype

    def _check_kind(self, x: HostArray) -> None:
        kinds = "U" if self._keys == "strings" else "iu"
        if x.dtype.kind not in kinds:
            raise ValueError(f"Layer '{self.name}' takes {self._keys}. Received: an array of dtype {x.dtype}")

    def on_host(self, x: HostArray) -> HostArray:
        if self._tokens is None:
            raise ValueError(f"Layer '{self.name}' has no vocabulary yet; call adapt(data), or pass `vocabulary`.")
        if self.invert:
            return self._inverted(x)
        self._check_kind(x)
        indices = to_host([self._lookup(value) for value in x.reshape(-1).tolist()]).astype("int64").reshape(x.shape)
        return indices if self.output_mode == "int" else self.encoded(indices)

    def _lookup(self, value: Any) -> int:
        index = self._index.get(value)
        if index is not None:
            return index
        if self.mask_token is not None and value == self.mask_token:
            return 0 if self.output_mode == "int" else -1
        if self.num_oov_indices == 0:
            raise ValueError(
                f"Layer '{self.name}' has no index for unknown values (num_oov_indices=0), and {value!r} is not in its "
                "vocabulary."
            )
        first = len(self._special()) - self.num_oov_indices
        return first + (self._bucket(value) if self.num_oov_indices > 1 else 0)

    def _bucket(self, value: Any) -> int:
        """The number of an unknown value among those of several indices."""
        return bucket(value, self.num_oov_indices, self.salt)

    def encoded(self, indices: HostArray) -> HostArray:
        """Indices as vectors over the vocabulary; an index of -1 counts for nothing."""
        depth = self._depth()
        if indices.ndim == 0:
            indices = indices.reshape(1)
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        vectors: HostArray = encode(indices, depth, mode, "float32")
        if self.idf_weights is not None:
            vectors = vectors * to_host(self.idf_weights + [0.0] * (depth - len(self.idf_weights)))
        return vectors

    def _depth(self) -> int:
        """The number of elements of a vector."""
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def _inverted(self, x: HostArray) -> HostArray:
        if x.dtype.kind not in "iu":
            raise ValueError(f"Layer '{self.name}' with invert=True takes integers. Received: dtype {x.dtype}")
        tokens = self.get_vocabulary()
        known = range(len(tokens))
        return to_host([tokens[i] if i in known else self.oov_token for i in x.reshape(-1).tolist()]).reshape(x.shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self._depth(), self.output_mode)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create a layer from the result of `get_config`, which has the tokens: a path in it would read any file."""
        vocabulary = config.get("vocabulary")
        if isinstance(vocabulary, (str, pathlib.Path)):
            raise checks.invalid("vocabulary", vocabulary, "a list of tokens in a configuration", cls.__name__)
        return super().from_config(config)

    def _arguments(self) -> dict[str, Any]:
        config = super()._arguments()
        if self._tokens is not None:
            config["vocabulary"] = self.get_vocabulary(include_special_tokens=self.idf_weights is not None)
            config["idf_weights"] = self.idf_weights
        return config
