"""What a layer is: it checks its arguments when made, allocates its weights when built, and computes when called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from portanet import regularizers
from portanet.backends import Array
from portanet.layers.calling import calling, require_backend, weights_as_constants
from portanet.layers.failures import locate
from portanet.layers.output_shapes import shape_by_trial
from portanet.layers.several_inputs import Several, masks_of, shape_of
from portanet.layers.symbolic import Node, is_symbolic, only_node, record
from portanet.layers.weights import WeightHolder
from portanet.mixed_precision import DTypePolicy, at_least_float32
from portanet.tree import tree_leaves
from portanet.variables import add_loss, computing_in


class Layer(WeightHolder):
    """A function of arrays with weights of its own.

    Subclasses implement `build(input_shape)`, which allocates weights with `add_weight`, and `call(x)`, which computes
    with `xp = array_namespace(x, self.kernel.value)`; `call` may also take `training` and `mask`. Layers held as
    attributes (or in lists or dicts) belong to the layer that holds them. Class attributes say more: `several_inputs`,
    that the layer takes a list of arrays; `keeps_shape`, that results have the shape of inputs; `keeps_values`, that
    results are elements of the inputs.

    Args:
        name: Name, unique within a model; by default the class's in snake case.
        trainable: Whether training changes the weights.
        dtype: Policy of the dtypes in which weights are kept and the layer computes, or its name, such as `"float64"`
            or `"mixed_float16"`; by default the global one, else the backend's default dtype. See
            `portanet.mixed_precision`.
        activity_regularizer: Penalty on the result, divided by the number of examples and added to the loss.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> from portanet.autodiff import array_namespace
        >>> class Scale(layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
        ...     def call(self, x):
        ...         return x * self.factor.value
        >>> Scale()(np.ones((2, 3), dtype="float32")).shape
        (2, 3)
    """

    several_inputs: Several | None = None
    """Which arrays the layer takes, if it takes a list of them."""
    keeps_shape = False
    """Whether results have the shape of inputs, so that `compute_output_shape` need not be written."""
    keeps_values = False
    """Whether results are elements of the inputs: what must be true of them must be true of what a user gives."""
    works_in_pieces: ClassVar[bool] = False
    """Whether its ops divide a batch among the cores of the host; see `Backend.map_chunks`."""

    gains_by_parts: ClassVar[bool] = False
    """Whether it is elementwise operations that a model with it spends its time on, so that two parts of a batch at the
    same time are faster than one after the other; see `portanet.training.parts`."""
    by_example = True
    """Whether the result for each example depends on that example alone, and a call leaves nothing behind but counters,
    so that parts of a batch can be computed apart. Subclasses outside of this library have to say so themselves."""

    _takes_training = False
    _takes_mask = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parameters = inspect.signature(cls.call).parameters
        cls._takes_training = "training" in parameters
        cls._takes_mask = "mask" in parameters
        if "by_example" not in cls.__dict__ and not cls.__module__.startswith("portanet."):
            cls.by_example = False
        if "build" in cls.__dict__:
            cls.build = _building(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: DTypePolicy | str | None = None,
        activity_regularizer: Any = None,
    ) -> None:
        super().__init__(name, trainable, dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.build_shape: Any = None
        """The shape of the inputs for which the layer was built."""
        self._dtypes: list[Any] = []
        self._nodes: list[Node] = []

    # What subclasses implement

    def build(self, input_shape: Any) -> None:
        """Allocate the weights for inputs of this shape; called once, before the first call."""
        self.built, self.build_shape = True, input_shape

    def call(self, x: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError(f"Layer '{self.name}' ({type(self).__name__}) does not implement call(x).")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result for inputs of this shape; a tree of shapes for trees of arrays.

        Where a subclass does not say it, it is found by calling the layer on zeros, which builds it if need be.
        """
        return input_shape if self.keeps_shape else shape_by_trial(self, input_shape)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """The mask of the result, given the input's; by default it is passed on."""
        return mask

    def check_data(self, x: Any) -> None:
        """Refuse values that the layer cannot take.

        `fit`, `evaluate` and `predict` call it with all of the data that the layer will get from the user, since steps
        compiled for a device cannot look at values. None in a list of arrays stands for one that is not known yet.
        """

    # Calling

    def __call__(self, x: Any, *further: Any, training: bool | None = None, mask: Any = None, **options: Any) -> Any:
        """Check the input, build if need be, and compute.

        Args:
            x: An array of the library on which the layer was built; a list of them for layers that say so (see
                `several_inputs`), or whatever tree of arrays `call` takes. Symbolic arrays (see `Input`) give symbolic
                ones.
            training: Whether this is a training step; by default what the calling layer was told, else False.
            mask: Boolean array, False for the time steps to leave out, for layers that use one; a list for a list.
            *further: Whatever else the layer's `call` takes by position, such as the states of a recurrent cell.
            **options: Whatever else it takes by name.
        """
        if self.several_inputs is not None:
            x, further = self.several_inputs.gather(self, x, further, options), ()
        outer = calling.get()
        guest = None
        if outer is None:
            if is_symbolic(x, options):
                return record(self, (x, *further), {"training": training, "mask": mask, **options})
            guest = require_backend(self, x)
        if not self.built:
            self._dtypes = [leaf.dtype for leaf in tree_leaves(x)]
            self.build(shape_of(x))
        if guest is not None:
            with weights_as_constants(self, guest, training):
                return self(x, *further, mask=mask, **options)
        if self.autocast:
            x = self.in_compute_dtype(x)
            if further or options:
                further, options = self.in_compute_dtype((further, options))
        now = training if training is not None else bool(outer)
        if self._takes_training:
            options["training"] = now
        if self._takes_mask and mask is not None:
            options["mask"] = mask if self.several_inputs is None else masks_of(mask, len(x))
        token, dtype_token = calling.set(now), computing_in.set(self.casts_to())
        try:
            out = self.call(x, *further, **options)
        except Exception as error:
            locate(error, self, x)
            raise
        finally:
            calling.reset(token)
            computing_in.reset(dtype_token)
        if self.activity_regularizer is not None:
            for leaf in tree_leaves(out):
                self.add_loss(self.activity_regularizer(at_least_float32(leaf)) / max(1, leaf.shape[0]))
        return out

    def add_loss(self, value: Array) -> None:
        """Add a scalar array to the loss of the training or evaluation step in which `call` runs; elsewhere it is
        lost.
        """
        if tuple(value.shape) != ():
            raise ValueError(
                f"Layer '{self.name}' must add a loss of shape (); take its sum or mean. Received: {tuple(value.shape)}"
            )
        add_loss(value)

    # In graphs

    @property
    def input(self) -> Any:
        """What the layer was called on in a graph: a symbolic array, or a tree of them, if it was called once there."""
        node = only_node(self, "input")
        return node.args[0] if node.args else node.outputs

    @property
    def output(self) -> Any:
        """What it gave there."""
        return only_node(self, "output").outputs

    # Inputs

    def require_axis(self, x: Array, axis: int, expected: int) -> None:
        """Refuse an input whose axis has another size than the layer was built for."""
        if x.shape[axis] != expected:
            raise ValueError(
                f"Layer '{self.name}' was built for inputs with {expected} features on axis {axis}. "
                f"Received: an input of shape {tuple(x.shape)}"
            )

    def require_rank(self, shape: Any, minimum: int, form: str) -> None:
        """Refuse an input with too few axes."""
        if len(shape) < minimum:
            raise ValueError(f"Layer '{self.name}' needs inputs of shape {form}. Received: shape {tuple(shape)}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}'{'' if self.built else ', not built'}>"


def _building(build: Callable[..., None]) -> Callable[..., None]:
    """Mark the layer as built after the outermost `build`, and keep the shape."""

    @functools.wraps(build)
    def wrapper(self: Layer, input_shape: Any) -> None:
        build(self, input_shape)
        self.built, self.build_shape = True, input_shape

    return wrapper
