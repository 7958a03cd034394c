"""The base class of models: layers that can also be trained, saved and described."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from portanet import checks, export, saving
from portanet.callbacks import CallbackList
from portanet.configurable import clone
from portanet.layers import Layer
from portanet.layers.operation import Operation
from portanet.layers.operation_call import OperationCall, as_operation
from portanet.layers.output_shapes import build_by_trial
from portanet.layers.several_inputs import map_shapes
from portanet.layers.symbolic import SymbolicArray, nodes_before
from portanet.lookup import CustomObjectScope
from portanet.models.elsewhere import IN_ITS_PLACE, no_attribute
from portanet.models.named_inputs import flat, in_order, names_of
from portanet.saving.keras.objects import model_to_json
from portanet.training import Trainer


def with_new_layers(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a model, with copies of the layers if these are in a model already."""
    layers = config.get("layers", ())
    values = layers.values() if isinstance(layers, dict) else layers if isinstance(layers, (list, tuple)) else ()
    if any(isinstance(layer, Layer) and layer._adopted for layer in values):
        return cast(dict[str, Any], clone(config))
    return config


class Model(Trainer):
    """A layer that can be trained, evaluated, described and saved; as `keras.Model`.

    Create one in two ways. `Model(inputs, outputs)` is a graph of layers, defined by calling them on `Input(...)`. A
    subclass creates its layers in `__init__` and computes in `call(x, training=False)` with ordinary Python; it is
    built when it is first called on data. A subclass without `call` may be a graph, too, with steps of its own.

    Args:
        inputs: A symbolic array, or a list, tuple or dict of them. See `portanet.models.Functional`.
        outputs: Likewise.
        name: Name of the model.
        **options: `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> x = layers.Input((3,))
        >>> y = layers.Dense(3)(x)
        >>> portanet.Model(x, x + y).output_shape
        (None, 3)
        >>> class Deep(portanet.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = [layers.Dense(4, activation="tanh") for _ in range(3)]
        ...     def call(self, x):
        ...         for layer in self.hidden:
        ...             x = layer(x)
        ...         return x
        >>> Deep()(np.ones((2, 3), dtype="float32")).shape
        (2, 4)
    """

    _builds_layers = True

    def __new__(cls, *args: Any, **options: Any) -> Model:
        """A graph, if this is `Model` itself and inputs are given."""
        if cls is Model and (args or "inputs" in options):
            from portanet.models.functional import Functional

            return super().__new__(Functional)
        return super().__new__(cls)

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **options: Any) -> None:
        if inputs is not None or outputs is not None:
            from portanet.models.functional import Functional, make_functional

            make_functional(type(self))
            Functional.__init__(self, inputs, outputs, name, **options)  # type: ignore[arg-type]
            return
        super().__init__(name=name, **options)

    if not TYPE_CHECKING:  # for type checkers, a model has no other attributes

        def __getattr__(self, name):
            if name in IN_ITS_PLACE and not hasattr(type(self), name):  # a property of a subclass has its own error
                raise no_attribute(self, name)
            return super().__getattr__(name)  # which raises the first error, also that of a property

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return list(self._layers_by_name().values())

    @property
    def operations(self) -> list[Operation]:
        """The layers, and in graphs also the operations: functions of `portanet.ops`, operators and indices."""
        return [as_operation(layer) for layer in self.sublayers().values()]

    def _layers_by_name(self) -> dict[str, Layer]:
        return {name: layer for name, layer in self.sublayers().items() if not isinstance(layer, OperationCall)}

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name, by a path to one inside a layer (`"block/dense"`), or by its index in `layers`."""
        layers = self._layers_by_name()
        if isinstance(name, str) and "/" in name and index is None:
            parent, _, own = name.rpartition("/")
            outer = self.get_layer(parent)
            layers = outer._layers_by_name() if isinstance(outer, Model) else dict(outer.sublayers())
            name = own if own in layers else name
        if index is not None and name is None:
            return list(layers.values())[checks.axis("index", index, len(layers), "get_layer")]
        if not isinstance(name, str) or name not in layers or index is not None:
            raise ValueError(
                f"Model '{self.name}' has the layers {', '.join(layers)}; choose one by name or index. "
                f"Received: name={name!r}, index={index!r}"
            )
        return layers[name]

    # Inputs and outputs

    @property
    def input(self) -> Any:
        """The symbolic input, or the tree of them; of a model that is no graph, those of its first call in one."""
        if not self._nodes:
            raise self._no_graph("symbolic inputs")
        return super().input

    @property
    def output(self) -> Any:
        """The symbolic output, or the tree of them; see `input`."""
        if not self._nodes:
            raise self._no_graph("symbolic outputs")
        return super().output

    def _no_graph(self, what: str) -> AttributeError:
        return AttributeError(
            f"Model '{self.name}' ({type(self).__name__}) has no {what}: it is not a graph, or not built yet"
        )

    @property
    def inputs(self) -> list[SymbolicArray]:
        """The symbolic inputs."""
        return flat(self.input)

    @property
    def outputs(self) -> list[SymbolicArray]:
        """The symbolic outputs."""
        return flat(self.output)

    @property
    def input_names(self) -> list[str]:
        """Unique names of the inputs: the keys if inputs are a dict, else those of their layers."""
        return names_of(self.input)

    @property
    def output_names(self) -> list[str]:
        """Unique names of the outputs: those of their layers."""
        return names_of(self.outputs)

    @property
    def input_shape(self) -> Any:
        """The shape of the input with the batch axis; for several inputs, a list in the order of `inputs`."""
        return _listed(self._known_shape())

    @property
    def output_shape(self) -> Any:
        """The shape of the output with the batch axis; for several outputs, a list in the order of `outputs`."""
        return _listed(self.compute_output_shape(self._known_shape()))

    def _known_shape(self) -> Any:
        if not self._built:
            raise AttributeError(
                f"Model '{self.name}' is not built yet: give it an Input, call it on data, or fit it first."
            )
        return self._input_shape()

    def _input_shape(self) -> Any:
        return map_shapes(lambda shape: (None, *shape[1:]), self.build_shape)

    _start: Any = None
    _end: Any = None
    """Symbolic inputs and outputs, of a graph."""

    def arranged_inputs(self, x: Any) -> Any:
        if self._start is None or self.several_inputs is not None:
            return x
        arrays = in_order(self, self.input_names, x)
        return arrays[0] if len(arrays) == 1 and isinstance(self._start, SymbolicArray) else x

    # Files

    def build(self, input_shape: Any) -> None:
        """Build the model; if a user calls this, also the layers that `call` uses, by a call on zeros.

        Args:
            input_shape: The shape of the input, with the batch axis; a list, tuple or dict of them for several.
        """
        super().build(input_shape)
        if type(self).build is Model.build and self._builds_layers:  # else weights may come after this
            build_by_trial(self, input_shape)

    def _build_on(self, x: Any, further: Any = (), options: Any = None) -> None:
        self._builds_layers = False
        super()._build_on(x, further, options)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Create a model from the `get_config()` of another; its layers are new, with new weights.

        Args:
            config: The configuration.
            custom_objects: Classes and functions by the names in it, beside those that are registered.
        """
        if cls is Model and not config.keys().isdisjoint(("nodes", "input_layers")):
            from portanet.models.functional import Functional

            return cast(Self, Functional.from_config(config, custom_objects))
        with CustomObjectScope(custom_objects):
            return super().from_config(with_new_layers(config))

    def to_json(self, **options: Any) -> str:
        """The architecture as JSON, which `models.model_from_json` and Keras read; `options` are those of `json.dumps`.

        Raises:
            ValueError: The model contains something that Keras does not have, and that is not registered.
        """
        return model_to_json(self, **options)

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None) -> None:
        """Save the model to one file, which `portanet.load_model(path)` reads on every backend.

        It contains the architecture (class names and configurations), the weights, and what is needed to resume
        training: the arguments of `compile`, the optimizer's state, random counters, `model.position` and the state of
        callbacks. It is written atomically: it is never incomplete, even if the process or the machine stops.

        Args:
            filepath: The file, such as `"model.safetensors"`; an existing one is replaced. A name that ends in `.keras`
                is for a file that Keras 3 loads as well; it needs the extra `keras`; `.h5` is its older
                format. See docs/saving.md.
            overwrite: Whether an existing file is replaced; else it is an error.
            zipped: None or True: the model is one file.

        Raises:
            ValueError: The model contains a custom function that is not registered; see
                `portanet.saving.register_serializable`. Or Keras lacks something in it, for a file of Keras.
        """
        saving.save_model(self, filepath, overwrite, zipped)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save only the weights, including running statistics, as a safetensors file with names such as `dense/kernel`.

        Args:
            filepath: The file, such as `"weights.safetensors"`; an existing one is replaced. A name that ends in
                `.weights.h5` is for a file that Keras 3 loads as well; it needs the extra `keras`.
            overwrite: Whether an existing file is replaced; else it is an error.
        """
        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self,
        filepath: str | os.PathLike[str],
        skip_mismatch: bool = False,
        strict: bool = True,
        pattern: str | Iterable[str] | None = None,
    ) -> saving.Comparison:
        """Load weights by name, from a file of weights or a saved model; floats are cast to the model's dtype.

        Args:
            filepath: The file: any safetensors file with matching names, or a file of Keras 3.
            skip_mismatch: Whether to skip weights of other shapes instead of raising an error.
            strict: Whether missing or unexpected weights in the file are an error.
            pattern: Regular expression, or several; only weights, of model and file, whose names match one anywhere are
                considered: `"^encoder/"` to transfer an encoder.

        Returns:
            What was loaded (`matching`), and the names that were `missing`, `unexpected` or `mismatched`.

        Raises:
            portanet.saving.LoadError: The file is damaged or does not match: all mismatches are listed, and no weight
                is changed.

        Example:
            >>> import pathlib, tempfile, portanet
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.safetensors"
            >>> model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(2)])
            >>> model.save_weights(path)
            >>> model.load_weights(path).matching
            ['dense/kernel', 'dense/bias']
        """
        return saving.load_weights(self, filepath, skip_mismatch, strict, pattern)

    def export(self, filepath: str | os.PathLike[str], format: str = "onnx", input_signature: Any = None) -> None:  # noqa: A002
        """Write the model for inference by other programs: an ONNX file, for batches of any size.

        The model is called on ndonnx arrays, which record its computation. docs/export.md lists the layers that
        can be exported. Inputs and outputs are named after those of a graph or the keys of a dict; a single one is
        called `input` or `output`.

        Args:
            filepath: The file, such as `"model.onnx"`; it is written atomically.
            format: `"onnx"`.
            input_signature: For each input an array of its shape and dtype, or a `portanet.export.Entrance`, in the
                structure of the model's input; by default the inputs of a graph, else the input shapes for which the
                model was built, in its dtype.

        Raises:
            BackendUnavailableError: The libraries of the extra `onnx` are not installed.
            ValueError: The model is not built, a size other than that of the batch is unknown, or a layer cannot be
                exported.
        """
        if format != "onnx":
            raise ValueError(f"Argument `format` must be 'onnx'. Received: format={format!r}")
        if not self._built:
            raise ValueError(
                f"Model '{self.name}' is not built yet: give it an Input, call it on data, or fit it, then export it. "
                "Received: a model without weights"
            )
        if input_signature is None:
            known = getattr(self, "input", None)  # of a graph
            input_signature = export.Entrance(self._input_shape(), self.compute_dtype) if known is None else known
        export.export_onnx(self, filepath, input_signature)

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        """The contents of copies and pickles, which go on as the model would; compiled steps are compiled anew."""
        states = self.callbacks.get_states() or self.position.callbacks
        return {
            **super().__getstate__(),
            "position": dataclasses.replace(self.position, callbacks=states),
            "callbacks": CallbackList(model=self),
            "_batch": None,
            "_steps": {},
            "_calls": None,
            "train_function": None,
            "test_function": None,
            "predict_function": None,
        }

    def _before(self) -> list[Any]:
        return [*super()._before(), *nodes_before(array for array in flat(self._end) if array is not None)]

    # Descriptions

    def __repr__(self) -> str:
        if "_built" not in vars(self):
            return super().__repr__()
        layers = f"{len(self.layers)} layer{'s' * (len(self.layers) != 1)}"
        size = f"{sum(weight.size for weight in self.weights):,} parameters" if self._built else "not built"
        return f"<{type(self).__name__} '{self.name}', {layers}, {size}>"

    def _repr_html_(self) -> str | None:
        """The picture of a graph, which notebooks show; None for other models, which they print."""
        from portanet.models.plot import is_graph, plot_model

        return plot_model(self, expand_nested=True)._repr_html_() if is_graph(self) else None

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers with their output shapes, numbers of parameters and memory.

        Args:
            line_length: Accepted as in Keras; columns are as wide as what they hold. Likewise `positions`.
            positions: See `line_length`.
            print_fn: Function to call with the text; by default `print`.
            expand_nested: Whether to list the layers of nested models.
            show_trainable: Whether to show which layers are trainable.
            layer_range: The names of the first and the last layer to list, or regular expressions for them.
        """
        from portanet.models.summary import summary

        if line_length is not None:
            checks.positive_int("line_length", line_length, "summary")
        if positions is not None and not (isinstance(positions, (list, tuple)) and positions):
            raise checks.invalid("positions", positions, "a list of numbers", "summary")
        for position in positions or ():
            checks.non_negative("positions", position, "summary")
        if print_fn is not None and not callable(print_fn):
            raise checks.invalid("print_fn", print_fn, "a function", "summary")
        (print_fn or print)(summary(self, expand_nested, show_trainable, layer_range))


def _listed(shapes: Any) -> Any:
    """The shape, or the list of shapes, of a tree of them."""
    each: list[Any] = []
    map_shapes(each.append, shapes)
    return each[0] if len(each) == 1 else each
