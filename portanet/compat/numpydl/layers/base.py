"""The base class of the layers: each wraps a layer of portanet and stores the pullback of its last `forward`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from portanet import checks, layers
from portanet.autodiff import lift, vjp
from portanet.backends import Array, get_backend, to_host
from portanet.compat.numpydl import extending
from portanet.compat.numpydl.activations import Activation
from portanet.compat.numpydl.extending import InputError
from portanet.compat.numpydl.initializations import Initializer
from portanet.compat.numpydl.utils.random import get_dtype, to_array, to_float
from portanet.configurable import Configurable
from portanet.tree import tree_map
from portanet.variables import Bound, Variable, bind, trainable_changes

_METHODS = "make(shape), or connect_to(prev_layer), forward(input) and backward(pre_grad)"


class Layer(Configurable):
    """A layer of a network: `connect_to` builds it, `forward` computes, `backward` propagates gradients.

    `backward` returns the gradient with respect to the input and stores those of the parameters in `grads`, as sums
    over the batch. `params` are arrays of the backend in use, in the layout of portanet's layers (the kernel of a
    convolution is (rows, columns, channels, filters)); attributes such as `W` and `b` have NumPyDL's layout.

    Subclasses implement `make(shape)`, or NumPyDL's methods in NumPy: `connect_to(prev_layer)`, which sets `out_shape`,
    `forward(input)` and `backward(pre_grad)`; layers with parameters also the properties `params` and `grads`.
    `Model` passes NumPy arrays to these methods, and updates parameters in place, in NumPy arrays or attributes of the
    layer.

    Example:
        >>> import numpy as np
        >>> class Double(Layer):
        ...     def connect_to(self, prev_layer=None):
        ...         self.out_shape = prev_layer.out_shape
        ...
        ...     def forward(self, input, *args, **kwargs):
        ...         return 2 * input
        ...
        ...     def backward(self, pre_grad, *args, **kwargs):
        ...         return 2 * pre_grad
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Dense(n_out=1, n_in=2, init="one", activation="linear"), Double()])
        >>> model.compile("mse")
        >>> model.predict(np.ones((1, 2))).tolist()
        [[4.0]]
    """

    first_layer = False
    out_shape: tuple[int | None, ...] | None = None
    inner: layers.Layer | None = None
    takes_integers = False
    # Class attributes, since subclasses written for NumPyDL do not call `Layer.__init__`.
    _pullback: Callable[[Any], Any] | None = None
    _result_shape: tuple[int, ...] = ()
    _grads: Sequence[Array | None] = ()
    _trained: tuple[layers.Layer | None, int, dict[str, Variable]] = (None, 0, {})
    """The wrapped layer, changes of what is trained so far, and the variables that are trained then."""

    def __init__(self) -> None:
        self._grads = []

    # Subclasses implement

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        """The shape of the input, from the previous layer."""
        if prev_layer is None:
            raise InputError(f"{type(self).__name__} cannot be the first layer: connect it to a layer before it.")
        shape: tuple[int | None, ...] = tuple(prev_layer.out_shape)
        return shape

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        """Create the wrapped layer of portanet."""
        raise extending.missing(self, _METHODS)

    # NumPyDL's interface

    def connect_to(self, prev_layer: Any = None) -> None:
        """Connect to the previous layer (None for the first) and allocate the parameters."""
        self._check_made()
        shape = tuple(n if n is None else int(n) for n in self.input_shape(prev_layer))  # NumPy's integers, too
        self.inner = self.make(shape)
        self.inner.build(shape)
        self.out_shape = tuple(self.inner.compute_output_shape(shape))

    def forward(self, input: Any, train: bool = True, **kwargs: Any) -> Array:  # noqa: A002
        """Compute the output; in training, store its pullback.

        Args:
            input: The input, a batch.
            train: Whether to compute in training mode.
            **kwargs: Other arguments of the layer, such as a mask.
        """
        self._check_made()
        if not isinstance(train, (bool, np.bool_)):
            raise checks.invalid("train", train, "True or False", f"{type(self).__name__}.forward")
        x = to_array(input) if self.takes_integers else to_float(input)
        out: Array = self.run(x, bool(train), **kwargs)
        return out

    def backward(self, pre_grad: Any, *args: Any, **kwargs: Any) -> Array | None:
        """The gradient with respect to the input, given that of the output; sets `grads`."""
        self._check_made()
        return self.back(self.cotangent(pre_grad))

    @property
    def params(self) -> list[Array]:
        """The parameters."""
        return [v.value for v in self.trainable_variables().values()]

    @property
    def grads(self) -> list[Array | None]:
        """The gradients of the parameters from the last `backward`; None before it."""
        return list(self._grads) or [None] * len(self.trainable_variables())

    @property
    def param_grads(self) -> list[tuple[Array, Array | None]]:
        """Parameters and their gradients."""
        return list(zip(self.params, self.grads, strict=True))

    def to_json(self) -> dict[str, Any]:
        """The configuration of the layer as JSON values."""
        if type(self) is Layer:
            raise extending.missing(self, "to_json()")
        return {name: _plain(value) for name, value in self.get_config().items()}

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> Self:
        """Create a layer from the result of `to_json()`."""
        return cls(**config)

    def __str__(self) -> str:
        return type(self).__name__

    # Implementation

    @property
    def in_numpy(self) -> bool:
        """Whether a subclass implements `forward` and `backward` in NumPy."""
        return extending.in_numpy(self, ("forward", "backward"), "make")

    def compilable(self) -> bool:
        """Whether the computation calls no method in NumPy."""
        return not (self.in_numpy or any(isinstance(a, Activation) and a.in_numpy for a in vars(self).values()))

    def _check_made(self) -> None:
        """Refuse calls of methods that a subclass must implement."""
        if type(self).make is Layer.make:
            raise extending.missing(self, _METHODS)

    def connected(self) -> layers.Layer:
        """The wrapped layer of portanet."""
        if self.inner is None:
            raise RuntimeError(f"{type(self).__name__} has no parameters yet: call connect_to(prev_layer) first.")
        return self.inner

    def trainable_variables(self) -> dict[str, Variable]:
        """The trainable variables by path."""
        if self.inner is None:
            return {}
        inner, changes, trained = self._trained
        if inner is not self.inner or changes != trainable_changes():
            named = self.inner.named_variables()
            trained = {path: named[path] for path in self.inner.trainable_paths()}
            self._trained = self.inner, trainable_changes(), trained
        return trained

    def set_params(self, params: list[Array]) -> None:
        """Replace the parameters: in the variables, or in the arrays and attributes that hold them."""
        if type(self).params is Layer.params:
            for variable, value in zip(self.trainable_variables().values(), params, strict=True):
                if variable.value is not value:
                    variable.assign(value)
            return
        for old, new in zip(self.params, params, strict=True):
            if not self._replace(old, new):
                raise TypeError(
                    f"Parameters of {type(self).__name__} must be NumPy arrays or attributes of the layer; or "
                    f"implement set_params(params). Received: a parameter of type {type(old).__name__}"
                )

    def current_params(self) -> list[Array]:
        """The parameters for a step; copies of a subclass's NumPy arrays."""
        if type(self).params is Layer.params:
            name, dtype = get_backend().dtype_name, get_dtype()
            return [p if name(p.dtype) == dtype else to_float(p) for p in self.params]
        return [to_float(np.array(p) if isinstance(p, np.ndarray) and self.in_numpy else p) for p in self.params]

    def _replace(self, old: Any, new: Array) -> bool:
        """Replace `old` by `new` in this layer and the layers inside it."""
        if isinstance(old, np.ndarray) and old.flags.writeable:
            old[...] = to_host(new)
            return True
        variables = [v for v in self.trainable_variables().values() if v.value is old]
        for variable in variables:
            variable.assign(new)
        attributes = [name for name, value in vars(self).items() if value is old]
        for name in attributes:
            setattr(self, name, new)
        inside = [layer._replace(old, new) for layer in vars(self).values() if isinstance(layer, Layer)]
        return bool(variables or attributes or any(inside))

    def apply(self, x: Array, params: list[Array], train: bool) -> Array:
        """The output as a differentiable function of input and parameters, for `Model`.

        Args:
            x: The input.
            params: The parameters of a layer in NumPy; other layers use their variables.
            train: Whether to compute in training mode.
        """
        if self.in_numpy:
            return extending.layer(self, train)(x, *params)
        out: Any = self.connected()(x, training=train)
        result: Array = out[0] if isinstance(out, (list, tuple)) else out
        return result

    def run(self, x: Array, train: bool, **kwargs: Any) -> Any:
        """Compute the output; in training, store the pullback for `back`."""
        inner = self.connected()
        if not train:
            return inner(x, training=False, **kwargs)
        variables = inner.named_variables()
        trainable = self.trainable_variables()
        floating = get_backend().xp.isdtype(x.dtype, "real floating")

        def compute(values: dict[str, Array], *inputs: Array) -> tuple[Any, Bound]:
            bound = {v: v.value for v in variables.values()} | {variables[p]: a for p, a in values.items()}
            with bind(bound) as current:
                out = inner(inputs[0] if floating else lift(x), training=True, **kwargs)
                return out, {v: current[v] for v in variables.values() if v not in set(trainable.values())}

        primals = ({path: v.value for path, v in trainable.items()}, *((x,) if floating else ()))
        out, self._pullback, state = vjp(compute, *primals, has_aux=True)
        for variable, value in state.items():
            variable.assign(value)
        self._result_shape = tuple((out[0] if isinstance(out, (list, tuple)) else out).shape)
        return out

    def cotangent(self, pre_grad: Any) -> Array:
        """The gradient with respect to the output; its shape is checked."""
        g = to_float(pre_grad)
        if self._pullback is not None and tuple(g.shape) != self._result_shape:
            raise InputError(
                f"Argument `pre_grad` of {type(self).__name__}.backward must have the shape of the output, "
                f"{self._result_shape}. Received: shape {tuple(g.shape)}"
            )
        return g

    def back(self, cotangent: Any) -> Array | None:
        """Pull a cotangent back through the last `run` in training."""
        if self._pullback is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward(input) in training before it.")
        pullback, self._pullback = self._pullback, None
        params, *inputs = pullback(cotangent)
        self._grads = list(params.values())
        return inputs[0] if inputs else None


class Chain(layers.Layer):
    """A chain of layers.

    Args:
        chain: The layers.

    Example:
        >>> import numpy as np
        >>> Chain([layers.Dense(4), layers.Dense(2)])(np.ones((1, 3), dtype="float32")).shape
        (1, 2)
    """

    def __init__(self, chain: list[layers.Layer]) -> None:
        super().__init__()
        self.chain = chain

    def build(self, input_shape: Any) -> None:
        for layer in self.chain:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, x: Any) -> Any:
        for layer in self.chain:
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.chain:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape


def like(out: Any, cotangents: Any) -> Any:
    """Cotangents of several outputs, with zeros for None.

    Args:
        out: The outputs.
        cotangents: Their cotangents, or None.

    Example:
        >>> import numpy as np
        >>> [z.tolist() for z in like([np.ones(2), np.ones(1)], [None, np.ones(1)])]
        [[0.0, 0.0], [1.0]]
    """
    xp = get_backend().xp
    zeros = tree_map(xp.zeros_like, out)
    return [z if c is None else to_float(c) for z, c in zip(zeros, cotangents, strict=True)]


def options(name: str) -> dict[str, Any]:
    """Common arguments of the wrapped layers.

    Args:
        name: Name of the layer.

    Example:
        >>> options("dense")["name"]
        'dense'
    """
    return {"name": name, "dtype": get_dtype()}


def _plain(value: Any) -> Any:
    if isinstance(value, (Activation, Initializer)):
        config = value.get_config()
        return type(value).__name__ if not config else {"class": type(value).__name__, **config}
    return list(value) if isinstance(value, tuple) else value
