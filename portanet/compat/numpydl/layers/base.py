"""What the layers share: each holds a layer of portanet, and remembers how to go back from its last `forward`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from portanet import layers
from portanet.autodiff import lift, vjp
from portanet.backends import Array, get_backend
from portanet.compat.numpydl.activations import Activation
from portanet.compat.numpydl.initializations import Initializer
from portanet.compat.numpydl.utils.random import get_dtype, to_array
from portanet.configurable import Configurable
from portanet.tree import tree_map
from portanet.variables import Bound, Variable, bind


class Layer(Configurable):
    """A layer of a network: `connect_to` gives it its place and weights, `forward` computes, `backward` goes back.

    `backward` gives the derivative with respect to the input and leaves those of the parameters in `grads`: sums over
    the batch, of weights and biases alike. Parameters are arrays of the backend in use, in the layout of portanet's
    layers (a convolution's kernel is (rows, columns, channels, filters)).
    """

    first_layer = False
    out_shape: tuple[int | None, ...] | None = None
    inner: layers.Layer | None = None

    def __init__(self) -> None:
        self._pull: Callable[[Any], Any] | None = None
        self._grads: list[Array] = []

    # What subclasses implement

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        """The shape of the input, from the layer before."""
        if prev_layer is None:
            raise ValueError(f"{type(self).__name__} cannot be the first layer: connect it to a layer before it.")
        shape: tuple[int | None, ...] = tuple(prev_layer.out_shape)
        return shape

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        """The layer of portanet that does the work."""
        raise NotImplementedError(f"{type(self).__name__} does not implement make(shape).")

    # NumPyDL's interface

    def connect_to(self, prev_layer: Any = None) -> None:
        """Take the place behind a layer (None: the first) and allocate the parameters."""
        shape = self.input_shape(prev_layer)
        self.inner = self.make(shape)
        self.inner.build(shape)
        self.out_shape = tuple(self.inner.compute_output_shape(shape))

    def forward(self, input: Any, *args: Any, train: bool = True, **kwargs: Any) -> Array:  # noqa: A002
        """Compute the result; in training, remember how to go back.

        Args:
            input: The input, a batch.
            *args: None for most layers.
            train: Whether this is training.
            **kwargs: What else the layer takes, such as a mask.
        """
        return self.run(to_array(input), train, **kwargs)

    def backward(self, pre_grad: Any, *args: Any, **kwargs: Any) -> Array | None:
        """From the derivative with respect to the result to that with respect to the input; sets `grads`."""
        return self.back(to_array(pre_grad))

    @property
    def params(self) -> list[Array]:
        """The parameters."""
        return [v.value for v in self.trained().values()]

    @property
    def grads(self) -> list[Array]:
        """Their derivatives, from the last `backward`."""
        return self._grads

    @property
    def param_grads(self) -> list[tuple[Array, Array]]:
        """Parameters and their derivatives."""
        return list(zip(self.params, self.grads, strict=True))

    def to_json(self) -> dict[str, Any]:
        """The arguments that make an equal layer, ready for JSON."""
        return {name: _plain(value) for name, value in self.get_config().items()}

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> Self:
        """Make a layer from `to_json()` of another."""
        return cls(**config)

    def __str__(self) -> str:
        return type(self).__name__

    # The work

    def connected(self) -> layers.Layer:
        """The layer of portanet."""
        if self.inner is None:
            raise RuntimeError(f"{type(self).__name__} has no parameters yet: call connect_to(prev_layer) first.")
        return self.inner

    def trained(self) -> dict[str, Variable]:
        """The variables that training changes, by path."""
        if self.inner is None:
            return {}
        named = self.inner.named_variables()
        return {path: named[path] for path in self.inner.trainable_paths()}

    def set_params(self, params: list[Array]) -> None:
        """Replace the parameters."""
        for variable, value in zip(self.trained().values(), params, strict=True):
            variable.assign(value)

    def run(self, x: Array, train: bool, **kwargs: Any) -> Any:
        """Compute; in training, record for `back`."""
        inner = self.connected()
        if not train:
            return inner(x, training=False, **kwargs)
        variables = inner.named_variables()
        trained = self.trained()
        floating = get_backend().xp.isdtype(x.dtype, "real floating")

        def compute(values: dict[str, Array], *inputs: Array) -> tuple[Any, Bound]:
            bound = {v: v.value for v in variables.values()} | {variables[p]: a for p, a in values.items()}
            with bind(bound) as now:
                out = inner(inputs[0] if floating else lift(x), training=True, **kwargs)
                return out, {v: now[v] for v in variables.values() if v not in trained.values()}

        primals = ({path: v.value for path, v in trained.items()}, *((x,) if floating else ()))
        out, pullback, state = vjp(compute, *primals, has_aux=True)
        for variable, value in state.items():
            variable.assign(value)
        self._pull = pullback
        return out

    def back(self, cotangent: Any) -> Array | None:
        """Pull a cotangent back through the last recorded `run`."""
        if self._pull is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward(input) in training before it.")
        pull, self._pull = self._pull, None
        params, *inputs = pull(cotangent)
        self._grads = list(params.values())
        return inputs[0] if inputs else None


def like(out: Any, given: Any) -> Any:
    """Cotangents of several results, zero where none was given."""
    xp = get_backend().xp
    zeros = tree_map(xp.zeros_like, out)
    return [z if g is None else to_array(g) for z, g in zip(zeros, given, strict=True)]


def options(name: str) -> dict[str, Any]:
    """What every layer of portanet is made with here."""
    return {"name": name, "dtype": get_dtype()}


def _plain(value: Any) -> Any:
    if isinstance(value, (Activation, Initializer)):
        config = value.get_config()
        return type(value).__name__ if not config else {"class": type(value).__name__, **config}
    return list(value) if isinstance(value, tuple) else value
