"""What every model can do beside computing: train, and tell what it is made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from portanet import export, saving
from portanet.layers import Layer
from portanet.layers.several_inputs import map_shapes
from portanet.layers.symbolic import SymbolicArray
from portanet.training import Trainer


class Model(Trainer):
    """A layer that can be trained, evaluated, described and saved; as `keras.Model`.

    There are two ways to make one. `Model(inputs, outputs)` is a graph of layers, drawn by calling them on what
    `Input` gives. A subclass makes its layers in `__init__` and computes in `call(x, training=False)` with ordinary
    Python; it is built when it is first called on data.

    Args:
        inputs: A symbolic array, or a list, tuple or dict of them: where data enters. See `portanet.models.Functional`.
        outputs: Likewise: the results.
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

    gives_mask = False
    """Whether `call` takes `return_mask=True` and then gives the mask of the result as well."""

    def __new__(cls, *args: Any, **options: Any) -> Model:
        """A graph, if this is `Model` itself and inputs are given."""
        if cls is Model and (args or "inputs" in options):
            from portanet.models.functional import Functional

            return super().__new__(Functional)
        return super().__new__(cls)

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        if inputs is not None or outputs is not None:
            raise TypeError(
                f"Model '{self.name}' of class {type(self).__name__} computes in its method call(x): call "
                f"super().__init__() without inputs and outputs. Received: inputs={inputs!r}, outputs={outputs!r}"
            )

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return list(self.sublayers().values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name in this model, or by its place in `layers`."""
        if index is not None and name is None:
            return self.layers[index]
        layers = self.sublayers()
        if name not in layers or index is not None:
            raise ValueError(
                f"Model '{self.name}' has the layers {', '.join(layers)}; choose one by name or index. "
                f"Received: name={name!r}, index={index!r}"
            )
        return layers[name]

    # What graphs know of themselves

    @property
    def input(self) -> Any:
        """The symbolic array, or the tree of them, where data enters."""
        raise self._no_graph("symbolic inputs")

    @property
    def output(self) -> Any:
        """The symbolic array, or the tree of them, that are the results."""
        raise self._no_graph("symbolic outputs")

    def _no_graph(self, what: str) -> AttributeError:
        return AttributeError(
            f"Model '{self.name}' ({type(self).__name__}) has no {what}: it is no graph, or not built yet"
        )

    @property
    def inputs(self) -> list[SymbolicArray]:
        """The symbolic arrays where data enters."""
        return flat(self.input)

    @property
    def outputs(self) -> list[SymbolicArray]:
        """The symbolic arrays that are the results."""
        return flat(self.output)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, unique: the keys where inputs were given as a dict."""
        return names_of(self.input)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, unique: the keys where outputs were given as a dict, else those of their layers."""
        return names_of(self.output)

    @property
    def input_shape(self) -> Any:
        """The shape of the input with the batch axis; for several inputs, the same tree of shapes."""
        return self._input_shape()

    @property
    def output_shape(self) -> Any:
        """The shape of the output with the batch axis; for several outputs, the same tree of shapes."""
        return self.compute_output_shape(self._input_shape())

    def _input_shape(self) -> Any:
        if not self.built:
            raise ValueError(
                f"Model '{self.name}' is not built yet: give it an Input, call it on data, or fit it, then ask again."
            )
        return map_shapes(lambda shape: (None, *shape[1:]), self.build_shape)

    def _call_with_mask(self, *args: Any, mask: Any, **options: Any) -> tuple[Any, Any]:
        if not self.gives_mask:
            return super()._call_with_mask(*args, mask=mask, **options)
        out, mask = self(*args, mask=mask, return_mask=True, **options)
        return out, mask

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the model to one file, which `portanet.load_model(path)` reads on every backend.

        It holds the architecture (class names and configurations), the weights, and all that training goes on from: how
        the model was compiled, the optimizer's state, random counters, `model.position` and what callbacks know. It is
        written whole or not at all: a reader never finds half of it, whenever the process or the machine stops.

        Args:
            path: The file, such as `"model.safetensors"`; what was there is replaced.

        Raises:
            ValueError: The model is made of a function of your own that is not registered; see
                `portanet.saving.register_serializable`.
        """
        saving.save_model(self, path)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Save the weights alone, running statistics included: a safetensors file with names such as `dense/kernel`.

        Args:
            path: The file, such as `"weights.safetensors"`; what was there is replaced.
        """
        saving.save_weights(self, path)

    def load_weights(
        self,
        path: str | os.PathLike[str],
        strict: bool = True,
        pattern: str | Iterable[str] | None = None,
        skip_mismatch: bool = False,
    ) -> saving.Comparison:
        """Load weights by their names, from a file of weights or a saved model; floats take on the model's dtype.

        Args:
            path: The file; any safetensors file with the right names will do.
            strict: Whether what is missing from the file, or in it alone, is an error.
            pattern: Regular expression, or several; only weights in whose names one is found are loaded, and only those
                of the file are looked at: `"^encoder/"` to transfer an encoder.
            skip_mismatch: Whether weights of other shapes are left as they are rather than an error.

        Returns:
            What was loaded (`matching`), and the names that were `missing`, `unexpected` or `mismatched`.

        Raises:
            portanet.saving.LoadError: The file is damaged or does not fit: all misfits are listed, and nothing is
                changed.

        Example:
            >>> import pathlib, tempfile, portanet
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.safetensors"
            >>> model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(2)])
            >>> model.save_weights(path)
            >>> model.load_weights(path).matching
            ['dense/kernel', 'dense/bias']
        """
        return saving.load_weights(self, path, strict, pattern, skip_mismatch)

    def export(self, path: str | os.PathLike[str], format: str = "onnx", input_signature: Any = None) -> None:  # noqa: A002
        """Write the model for inference by other programs: an ONNX file, for batches of any size.

        The model is called on ndonnx arrays, which write down what it computes. docs/export.md lists the layers that
        can be exported. Inputs and outputs are named after those of a graph or the keys of a dict; a single one is
        called `input` or `output`.

        Args:
            path: The file, such as `"model.onnx"`; it is written whole or not at all.
            format: `"onnx"`.
            input_signature: For each input an array of the shape and dtype that it has, or a
                `portanet.export.Entrance`, in the structure of what the model is called on; by default the inputs of a
                graph, else what the model was built for, in its dtype.

        Raises:
            BackendUnavailableError: The libraries of the extra `onnx` are not installed.
            ValueError: The model is not built, a size other than the batch's is not known, or a layer cannot be
                exported.
        """
        if format != "onnx":
            raise ValueError(f"Argument `format` must be 'onnx'. Received: format={format!r}")
        if not self.built:
            raise ValueError(
                f"Model '{self.name}' is not built yet: give it an Input, call it on data, or fit it, then export it. "
                "Received: a model without weights"
            )
        if input_signature is None:
            known = getattr(self, "input", None)  # where data enters a graph
            input_signature = export.Entrance(self._input_shape(), self.compute_dtype) if known is None else known
        export.export_onnx(self, path, input_signature)

    # Descriptions

    def summary(
        self, print_fn: Callable[[str], Any] = print, expand_nested: bool = False, show_trainable: bool = False
    ) -> None:
        """Print the layers with the shapes of their results, their parameters and the memory these take.

        Args:
            print_fn: What to call with the text.
            expand_nested: Whether to list the layers of models and other layers inside, too.
            show_trainable: Whether to tell which layers are trained.

        Raises:
            ValueError: The model is not built, so shapes are not known.
        """
        from portanet.models.summary import summary

        print_fn(summary(self, expand_nested, show_trainable))


def flat(tree: Any) -> list[Any]:
    """The leaves of a tree in order, None among them."""
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in flat(branch)]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in flat(branch)]
    return [tree]


def names_of(tree: Any) -> list[str]:
    """Unique names for the symbolic arrays of a tree."""
    if isinstance(tree, dict) and all(isinstance(leaf, SymbolicArray) for leaf in tree.values()):
        return list(tree)
    names: list[str] = []
    for leaf in flat(tree):
        name, number = leaf.name, 1
        while name in names:
            name, number = f"{leaf.name}_{number}", number + 1
        names.append(name)
    return names
