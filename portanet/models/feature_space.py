"""`FeatureSpace`: tables with columns of numbers and categories, encoded for a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from portanet import checks, layers
from portanet.backends import HostArray, converted, rows_to_host, to_host
from portanet.configurable import Configurable
from portanet.layers.symbolic import SymbolicArray
from portanet.models.functional import Functional
from portanet.models.model import Model
from portanet.tree import tree_map

MODES = ("int", "one_hot", "float")


class Feature(Configurable):
    """How a column is encoded; see `FeatureSpace.feature`."""

    def __init__(self, dtype: str, preprocessor: layers.Layer, output_mode: str) -> None:
        self.dtype = checks.text("dtype", dtype, "FeatureSpace.feature")
        if not isinstance(preprocessor, layers.Layer):
            raise checks.invalid("preprocessor", preprocessor, "a layer", "FeatureSpace.feature")
        self.preprocessor = preprocessor
        self.output_mode = checks.choice("output_mode", output_mode, MODES, "FeatureSpace.feature")


class Cross(Configurable):
    """Columns that are encoded together; see `FeatureSpace.cross`."""

    def __init__(self, feature_names: Iterable[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        self.feature_names = tuple(checks.texts("feature_names", feature_names, "FeatureSpace.cross"))
        if len(self.feature_names) < 2:
            raise checks.invalid("feature_names", feature_names, "at least two names", "FeatureSpace.cross")
        self.crossing_dim = checks.positive_int("crossing_dim", crossing_dim, "FeatureSpace.cross")
        self.output_mode = checks.choice("output_mode", output_mode, MODES[:2], "FeatureSpace.cross")

    @property
    def name(self) -> str:
        """The names of the columns, joined."""
        return "_X_".join(self.feature_names)


class FeatureSpace(Model):
    """Columns of numbers, integers and strings as one vector per row; as `keras.utils.FeatureSpace`.

    It is made for data (`adapt`), and then called on it, or put before a model: `get_inputs()` are symbolic inputs, one
    per column, `get_encoded_features()` what becomes of them. Columns of strings and integers are looked up on the
    host, as data is taken in.

    Args:
        features: For each column how it is encoded: `"float"`, `"float_rescaled"`, `"float_normalized"`,
            `"float_discretized"`, `"integer_categorical"`, `"string_categorical"`, `"integer_hashed"`,
            `"string_hashed"`, or what the methods of these names return, with other options.
        output_mode: `"concat"` for one vector per row, features in alphabetical order, then crosses; `"dict"` for a
            dict by name.
        crosses: Tuples of names of columns whose values are encoded together, or results of `FeatureSpace.cross`.
        crossing_dim: Size of the vectors of crosses.
        hashing_dim: Size of the vectors of hashed columns.
        num_discretization_bins: Number of bins of discretized columns.
        name: Name.

    Raises:
        ValueError: A feature or cross is unknown, or cannot be encoded in that way.

    Example:
        >>> import portanet
        >>> table = {"age": [20.0, 30.0, 70.0], "city": ["Oslo", "Rome", "Oslo"]}
        >>> space = portanet.utils.FeatureSpace({"age": "float_normalized", "city": "string_categorical"})
        >>> space.adapt(table)
        >>> space(table).shape
        (3, 4)
        >>> out = portanet.layers.Dense(1)(space.get_encoded_features())
        >>> portanet.Model(space.get_inputs(), out).predict(table, verbose=0).shape
        (3, 1)
    """

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not isinstance(features, Mapping) or not features:
            raise checks.invalid("features", features, "a dict, how a column is encoded by its name", self)
        self.output_mode = checks.choice("output_mode", output_mode, ("concat", "dict"), self)
        self.crossing_dim = checks.positive_int("crossing_dim", crossing_dim, self)
        self.hashing_dim = checks.positive_int("hashing_dim", hashing_dim, self)
        self.num_discretization_bins = checks.positive_int("num_discretization_bins", num_discretization_bins, self)
        self.features = {column: self._feature(column, kind) for column, kind in features.items()}
        if crosses is not None and not isinstance(crosses, (list, tuple)):
            raise checks.invalid("crosses", crosses, "a list of tuples of names, or of crosses", self)
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.preprocessors = {column: feature.preprocessor for column, feature in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, layers.CategoryEncoding] = {}
        self._graph: tuple[Any, ...] = ()  # inputs, outputs, and the function from data to results

    # Kinds of features

    @staticmethod
    def cross(feature_names: Iterable[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Values of several columns together, as one of `crossing_dim` bins by a hash.

        Args:
            feature_names: Names of columns of integers or strings, or of discretized ones.
            crossing_dim: Number of bins.
            output_mode: `"one_hot"` or `"int"`.
        """
        return Cross(feature_names, crossing_dim, output_mode)

    @staticmethod
    def feature(dtype: str, preprocessor: layers.Layer, output_mode: str) -> Feature:
        """A column that a layer of one's own encodes.

        Args:
            dtype: Name of the dtype of the data, `"string"` for strings.
            preprocessor: The layer; its input has shape (batch, 1).
            output_mode: `"float"`, to leave its output as it is, `"int"`, or `"one_hot"` for one of integers.
        """
        return Feature(dtype, preprocessor, output_mode)

    @staticmethod
    def float(name: str | None = None) -> Feature:
        """Numbers as they are; `name` begins the name of the layer."""
        return Feature("float32", layers.Identity(name=_named(name, "float")), "float")

    @staticmethod
    def float_rescaled(scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers as `x * scale + offset`; see `Rescaling`."""
        layer = layers.Rescaling(scale, offset, name=_named(name, "float_rescaled"))
        return Feature("float32", layer, "float")

    @staticmethod
    def float_normalized(name: str | None = None) -> Feature:
        """Numbers with mean 0 and variance 1; see `Normalization`."""
        return Feature("float32", layers.Normalization(axis=-1, name=_named(name, "float_normalized")), "float")

    @staticmethod
    def float_discretized(
        num_bins: int, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Numbers as the bins between quantiles of the data, or between boundaries; see `Discretization`."""
        bins = num_bins if bin_boundaries is None else None
        layer = layers.Discretization(bin_boundaries, bins, name=_named(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @staticmethod
    def integer_categorical(
        max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Integers as their places in a vocabulary; see `IntegerLookup`."""
        layer = layers.IntegerLookup(max_tokens, num_oov_indices, name=_named(name, "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @staticmethod
    def string_categorical(
        max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Strings as their places in a vocabulary; see `StringLookup`."""
        layer = layers.StringLookup(max_tokens, num_oov_indices, name=_named(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @staticmethod
    def integer_hashed(num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers as bins of a hash; see `Hashing`."""
        return Feature("int32", layers.Hashing(num_bins, name=_named(name, "integer_hashed")), output_mode)

    @staticmethod
    def string_hashed(num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings as bins of a hash; see `Hashing`."""
        return Feature("string", layers.Hashing(num_bins, name=_named(name, "string_hashed")), output_mode)

    def _feature(self, column: str, kind: Any) -> Feature:
        """The feature of a name, or of a description in a file."""
        if isinstance(kind, Feature):
            return kind
        if isinstance(kind, Mapping):
            return Feature(**kind)
        sizes = {"float_discretized": self.num_discretization_bins}
        sizes |= dict.fromkeys(("integer_hashed", "string_hashed"), self.hashing_dim)
        names = (*_KINDS, *sizes)
        if not isinstance(kind, str) or kind not in names:
            raise checks.invalid(f"features['{column}']", kind, f"one of {', '.join(names)}, or a feature", self)
        made: Feature = getattr(self, kind)(*([sizes[kind]] if kind in sizes else []), name=column)
        return made

    def _cross(self, cross: Any) -> Cross:
        if isinstance(cross, Mapping):
            cross = Cross(**cross)
        elif not isinstance(cross, Cross):
            cross = Cross(cross, self.crossing_dim)
        made: Cross = cross
        for column in made.feature_names:
            if column not in self.features:
                raise ValueError(
                    f"Argument `crosses` of '{self.name}' must name columns in `features`: "
                    f"{', '.join(self.features)}. Received: {column!r}"
                )
        return made

    # Data

    def adapt(self, dataset: Any) -> None:
        """Learn vocabularies, quantiles, means and variances from data, in place of those before.

        Args:
            dataset: A dict or DataFrame of columns; or an iterable of batches of them, such as a `PyDataset`, alone or
                with targets. Each column is held in memory.
        """
        table = self._columns_of(dataset)
        for column, layer in self.preprocessors.items():
            if _learns(layer):
                if column not in table:
                    raise ValueError(
                        f"Argument `dataset` of '{self.name}' must have a column for each feature. "
                        f"Received: no {column!r}"
                    )
                layer.adapt(table[column])  # type: ignore[attr-defined]
        self._graph = ()

    def _columns_of(self, data: Any) -> dict[str, HostArray]:
        """The columns of a table, or of batches one after the other, of shape (rows, 1)."""
        if isinstance(data, Mapping) or hasattr(data, "columns"):
            return {column: _column(data[column], column)[0] for column in self.features if column in data}
        if not isinstance(data, Iterable) or isinstance(data, (str, bytes)) or hasattr(data, "shape"):
            raise checks.invalid("dataset", data, "a dict of columns, or an iterable of such batches", self)
        parts: dict[str, list[Any]] = {}
        for batch in data:
            for column, values in self._columns_of(batch[0] if isinstance(batch, (list, tuple)) else batch).items():
                parts.setdefault(column, []).extend(values.tolist())
        return {column: rows_to_host(values, column) for column, values in parts.items()}

    def get_inputs(self) -> dict[str, SymbolicArray]:
        """A symbolic input for each column, by name."""
        inputs: dict[str, SymbolicArray] = self._made()[0]
        return inputs

    def get_encoded_features(self) -> Any:
        """What becomes of the inputs: a symbolic vector, or a dict of them."""
        return self._made()[1]

    def _made(self) -> tuple[Any, ...]:
        if not self._graph:
            for column, layer in self.preprocessors.items():
                if _learns(layer) and not _has_learned(layer):
                    raise ValueError(
                        f"'{self.name}' has to be adapted to data first: call adapt(dataset). "
                        f"Received: feature {column!r} without what it learns"
                    )
            inputs = {
                column: layers.Input((1,), dtype=feature.dtype, name=column)
                for column, feature in self.features.items()
            }
            outputs = self._encoded(inputs)
            self._graph = inputs, outputs, Functional(inputs, outputs).__call__
            self._built, self.build_shape = True, dict.fromkeys(inputs, (None, 1))
        return self._graph

    def _encoded(self, inputs: dict[str, SymbolicArray]) -> Any:
        read = {column: layer(inputs[column]) for column, layer in self.preprocessors.items()}
        crossed = {
            cross.name: self.crossers[cross.name]([read[column] for column in cross.feature_names])
            for cross in self.crosses
        }
        modes = {column: feature.output_mode for column, feature in self.features.items()}
        modes |= {cross.name: cross.output_mode for cross in self.crosses}
        encoded = {}
        for name in [*sorted(read), *sorted(crossed)]:
            value = read[name] if name in read else crossed[name]
            if modes[name] == "one_hot":
                value = self._one_hot(name)(value)
            elif self.output_mode == "concat" and modes[name] == "int":
                raise ValueError(
                    f"Feature '{name}' of '{self.name}' is an integer, which cannot be joined with others: choose "
                    "output_mode='one_hot' for it, or output_mode='dict' for all. Received: output_mode='int'"
                )
            encoded[name] = value
        if self.output_mode == "dict":
            return encoded
        values = list(encoded.values())
        return layers.Concatenate(axis=-1)(values) if len(values) > 1 else values[0]

    def _one_hot(self, name: str) -> layers.CategoryEncoding:
        """The layer that makes vectors of the integers of a feature."""
        layer: Any = self.preprocessors[name] if name in self.preprocessors else self.crossers[name]
        if isinstance(layer, (layers.IntegerLookup, layers.StringLookup)):
            size = layer.vocabulary_size()
        elif isinstance(layer, layers.Discretization):
            size = len(layer.bin_boundaries or ()) + 1
        elif isinstance(layer, (layers.Hashing, layers.HashedCrossing)):
            size = layer.num_bins
        else:
            raise ValueError(
                f"Feature '{name}' of '{self.name}' cannot be one-hot: the number of its categories is not known. "
                f"Choose output_mode='int', or 'float' for vectors. Received: a layer {type(layer).__name__}"
            )
        encoder = self.one_hot_encoders[name] = layers.CategoryEncoding(size, "multi_hot", name=f"{name}_one_hot")
        return encoder

    def __call__(self, x: Any = None, *further: Any, training: bool | None = None, **options: Any) -> Any:
        """Encode a table, a dict or DataFrame of columns; or one row, a dict of values."""
        x = options.pop("data", None) if x is None else x
        if further or options or not (isinstance(x, Mapping) or hasattr(x, "columns")):
            raise checks.invalid("data", x, "a dict of columns", self)
        inputs, _, compute = self._made()
        if missing := [column for column in inputs if column not in x]:
            raise ValueError(f"'{self.name}' takes a column for each feature. Received: none for {missing}")
        if any(isinstance(x[column], SymbolicArray) for column in inputs):
            return compute({column: x[column] for column in inputs}, training=training)
        columns = {column: _column(x[column], column) for column in inputs}
        one_row = any(alone for _, alone in columns.values())
        arrays = {c: host if host.dtype.kind in "OSU" else converted(host) for c, (host, _) in columns.items()}
        out = compute(arrays, training=training)
        return tree_map(lambda leaf: leaf[0, ...], out) if one_row else out

    def build(self, input_shape: Any) -> None:
        """Build the layers, for a file that is being read."""
        for layer in self.preprocessors.values():
            if isinstance(layer, layers.Normalization) and not layer._built:
                layer.build((None, 1))

    # Descriptions

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal object, with what was learned."""
        return {
            "features": {column: dict(feature.get_config()) for column, feature in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [{**cross.get_config(), "feature_names": list(cross.feature_names)} for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Create an object from the result of `get_config`."""
        return cls(**config)


_KINDS = ("float", "float_rescaled", "float_normalized", "integer_categorical", "string_categorical")


def _named(name: str | None, kind: str) -> str:
    return f"{name or kind}_preprocessor"


def _learns(layer: Any) -> bool:
    """Whether a layer is made for data by `adapt`, and was not given what it would learn."""
    given = isinstance(layer, layers.Normalization) and layer._given is not None
    given |= isinstance(layer, layers.Discretization) and layer.num_bins is None
    return hasattr(layer, "adapt") and not given


def _has_learned(layer: Any) -> bool:
    if isinstance(layer, layers.Discretization):
        return layer.bin_boundaries is not None
    if isinstance(layer, layers.Normalization):
        return layer._built
    return bool(getattr(layer, "has_vocabulary", True))


def _column(values: Any, column: str) -> tuple[HostArray, bool]:
    """A column of shape (rows, 1), on the host; and whether it was a single value."""
    host = rows_to_host(to_host(values) if hasattr(values, "shape") else values, f"Column {column!r}")
    return (host.reshape(-1, 1) if host.ndim < 2 else host), host.ndim == 0
