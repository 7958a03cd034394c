"""The base class of recurrent cells, and the loop over time."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from portanet import activations, checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, get_backend
from portanet.layers.base import Layer
from portanet.layers.random_layer import RandomLayer
from portanet.tree import tree_leaves, tree_map

States = list[Array]


def loop(
    step: Callable[[Array, States], tuple[Array, Any]],
    x: Array,
    states: States,
    mask: Array | None,
    output: Array | None = None,
) -> tuple[Array, States]:
    """Apply a step along a sequence.

    Args:
        step: `step(x_t, states)` returns the output and the new states.
        x: Inputs, shape (time, batch, ...).
        states: The states before the first step.
        mask: Boolean, shape (time, batch, 1): False where output and states are unchanged.
        output: The output before the first unmasked step; by default zeros.

    Returns:
        The outputs, shape (time, batch, ...), and the states after the last step.
    """
    outputs = []
    for t in range(x.shape[0]):
        y, new = step(x[t, ...], states)
        new = list(new) if isinstance(new, (list, tuple)) else [new]
        if mask is not None:
            xp = array_namespace(y, *new, *states)
            y = _choose(xp, mask[t, ...], y, xp.zeros_like(y) if output is None else output)
            new = [_choose(xp, mask[t, ...], a, b) for a, b in zip(new, states, strict=True)]
        output, states = y, new
        outputs.append(output)
    return array_namespace(*outputs).stack(outputs), states


def _choose(xp: Any, mask: Array, new: Array, old: Array) -> Array:
    shape = (mask.shape[0],) + (1,) * (new.ndim - 1)
    return xp.where(xp.reshape(mask, shape), new, old)


def plain_options(options: dict[str, Array | None]) -> dict[str, Array | None]:
    """Unwrap masks, which have no derivative, for fused ops."""
    return {name: None if x is None else unwrap(x) for name, x in options.items()}


class RecurrentCell(RandomLayer):
    """The base class of the library's cells: weights, dropout, and a fused op for sequences, if available.

    Args:
        units: Size of the output.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel, shape (features, gates * units).
        recurrent_initializer: Initial values of the recurrent kernel, shape (units, gates * units).
        bias_initializer: Initial values of the bias.
        kernel_regularizer: Name or function: penalty on the kernel, added to the loss.
        recurrent_regularizer: Likewise on the recurrent kernel.
        bias_regularizer: Likewise on the bias.
        kernel_constraint: Name or function applied to the kernel after each update.
        recurrent_constraint: Likewise to the recurrent kernel.
        bias_constraint: Likewise to the bias.
        dropout: In training, the fraction of the inputs to drop, the same in every time step (Gal and Ghahramani 2016).
        recurrent_dropout: Likewise of the previous output in its product with the recurrent kernel.
        seed: Seed of dropout; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> from portanet.layers import LSTMCell
        >>> issubclass(LSTMCell, RecurrentCell)
        True
    """

    gates: ClassVar[int] = 1
    calls_differently = False
    """Whether a subclass of one of the library's cells has a `call` of its own, which each step has to run."""
    _masks: dict[str, Any] | None = None
    """Dropout factors of the sequence along which the cell is called step by step; None outside of one."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written = {"call", "step", "sequence"} & set(vars(cls))
        if written:
            cls.calls_differently = written == {"call"}

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed, **options)
        self.units = checks.positive_int("units", units, self)
        self.activation = activations.get(activation, "activation", self)
        self.use_bias = checks.boolean("use_bias", use_bias, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.recurrent_initializer = initializers.get(recurrent_initializer, "recurrent_initializer", self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer, "recurrent_regularizer", self)
        self.bias_regularizer = regularizers.get(bias_regularizer, "bias_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)
        self.recurrent_constraint = constraints.get(recurrent_constraint, "recurrent_constraint", self)
        self.bias_constraint = constraints.get(bias_constraint, "bias_constraint", self)
        self.dropout = checks.rate("dropout", dropout, self)
        self.recurrent_dropout = checks.rate("recurrent_dropout", recurrent_dropout, self)

    @property
    def state_size(self) -> list[int]:
        """Sizes of the states, the first of which is the output."""
        return [self.units]

    @property
    def output_size(self) -> int:
        """Size of the output."""
        return self.state_size[0]

    def bias_shape(self) -> tuple[int, ...]:
        """Shape of the bias."""
        return (self.gates * self.units,)

    def kernel_shapes(self, input_shape: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the kernel and the recurrent kernel, for inputs of this shape in each time step."""
        if len(input_shape) != 2:
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (batch, features) in each time step. "
                f"Received: shape {tuple(input_shape)}"
            )
        width = self.gates * self.units
        return (input_shape[-1], width), (self.output_size, width)

    def build(self, input_shape: Any) -> None:
        kernel_shape, recurrent_shape = self.kernel_shapes(input_shape)
        if self.dropout or self.recurrent_dropout:
            super().build(input_shape)
        self.kernel = self.add_weight(
            shape=kernel_shape,
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            shape=recurrent_shape,
            initializer=self.recurrent_initializer,
            name="recurrent_kernel",
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.bias_shape(),
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def step(self, x: Array, states: States, recurrent_keep: Array | None) -> tuple[Array, States]:
        """One time step: the output and the new states."""
        raise NotImplementedError(f"Cell '{self.name}' does not implement step(x, states, recurrent_keep).")

    def fused(self, x: Array, states: States, options: dict[str, Any]) -> tuple[Array, States] | None:
        """A whole sequence (time, batch, features) at once; None if there is no fused op for the cell's arguments."""
        return None

    def call(  # type: ignore[override]
        self, x: Array, states: Any, training: bool = False
    ) -> tuple[Array, States]:
        """One time step.

        Args:
            x: Inputs, shape (batch, features).
            states: The states, a list of arrays of shape (batch, size).
            training: Whether to drop inputs.

        Returns:
            The output and the list of new states.
        """
        masks = {} if self._masks is None else self._masks
        if "call" not in masks:
            masks["call"] = self.draw(x, training)
        input_keep, recurrent_keep = masks["call"]
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        if any(state.shape[0] != x.shape[0] for state in states):
            raise ValueError(
                f"Layer '{self.name}' needs states of as many examples as its input, here {x.shape[0]}. "
                f"Received: states of shapes {[tuple(state.shape) for state in states]}"
            )
        return self.step(x if input_keep is None else x * input_keep, states, recurrent_keep)

    def sequence(self, x: Array, states: States, mask: Array | None, training: bool) -> tuple[Array, States]:
        """Run along a sequence of shape (time, batch, features); as `loop`."""
        self.require_axis(x, -1, self.kernel.shape[-2])
        input_keep, recurrent_keep = self.draw(x, training)
        if input_keep is not None:
            x = x * input_keep
        result = self.fused(x, states, {"mask": mask, "recurrent_keep": recurrent_keep})
        if result is not None:
            return result
        return loop(lambda x, states: self.step(x, states, recurrent_keep), x, states, mask, states[0])

    def draw(self, x: Array, training: bool) -> tuple[Array | None, Array | None]:
        """Dropout factors of the inputs and of the previous output, shape (batch, ...), the same for all time steps."""
        if not training:
            return None, None
        batch = x.shape[-2]
        return (
            self._keep(x, (batch, x.shape[-1]), self.dropout),
            self._keep(x, (batch, self.output_size), self.recurrent_dropout),
        )

    def get_dropout_mask(self, step_input: Array) -> Array | None:
        """For the `call` of a subclass: dropout factors of a step's inputs, the same in all steps of a sequence.

        Args:
            step_input: The inputs of the step.

        Returns:
            An array of the inputs' shape; None without `dropout`. Outside of sequences, each is drawn anew.
        """
        return self._of_sequence("inputs", step_input, self.dropout)

    def get_recurrent_dropout_mask(self, step_input: Array) -> Array | None:
        """The same for the previous output, by `recurrent_dropout`."""
        return self._of_sequence("outputs", step_input, self.recurrent_dropout)

    def reset_dropout_mask(self) -> None:
        """Let `get_dropout_mask` draw anew; recurrent layers do so for each sequence."""
        self._masks = None if self._masks is None else {k: v for k, v in self._masks.items() if k != "inputs"}

    def reset_recurrent_dropout_mask(self) -> None:
        """Let `get_recurrent_dropout_mask` draw anew."""
        self._masks = None if self._masks is None else {k: v for k, v in self._masks.items() if k != "outputs"}

    def _of_sequence(self, name: str, x: Array, rate: float) -> Array | None:
        masks = {} if self._masks is None else self._masks
        if name not in masks:
            masks[name] = self._keep(x, tuple(x.shape), rate)
        return masks[name]

    @contextlib.contextmanager
    def in_sequence(self) -> Iterator[None]:
        """Keep what is dropped the same in the calls in a `with` block."""
        self._masks = {}
        try:
            yield
        finally:
            self._masks = None

    def _keep(self, x: Array, shape: tuple[int, ...], rate: float) -> Array | None:
        if not rate:
            return None
        kept = self.bernoulli(1 - rate, shape)
        return array_namespace(kept).astype(kept, x.dtype) * (1 / (1 - rate))

    def get_initial_state(self, batch_size: int) -> States:
        """Zeros of the states' shapes."""
        return initial_states(self, batch_size)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.output_size), [(input_shape[0], size) for size in self.state_size]

    def _bias(self) -> Array | None:
        return self.bias.value if self.use_bias else None

    def _sum(self, x: Array, h: Array, recurrent_keep: Array | None) -> Array:
        """`x @ kernel + h @ recurrent_kernel + bias`."""
        kernel = self.kernel.value
        xp = array_namespace(x, kernel, h)
        h = h if recurrent_keep is None else h * recurrent_keep
        a = xp.matmul(x, kernel) + xp.matmul(h, self.recurrent_kernel.value)
        return a + self.bias.value if self.use_bias else a


def is_cell(cell: Any) -> bool:
    """Whether this can be the cell of a recurrent layer."""
    return isinstance(cell, Layer) and hasattr(cell, "state_size")


def state_sizes_of(cell: Any) -> list[int]:
    """Sizes of the states of a cell; of a stack, those of all cells in one list."""
    sizes: list[int] = tree_leaves(cell.state_size)
    return sizes


def grouped(states: Sequence[Any], cell: Any) -> list[Any]:
    """A list with the states of a cell, or of a stack with one list of states per cell.

    Args:
        states: All states in one list.
        cell: The cell.
    """
    remaining = iter(states)
    sizes = [cell.state_size] if isinstance(cell.state_size, int) else list(cell.state_size)
    groups: list[Any] = tree_map(lambda _: next(remaining), sizes)
    return groups


def output_size_of(cell: Any) -> int:
    """Size of a cell's output, by default that of its first state."""
    return getattr(cell, "output_size", None) or state_sizes_of(cell)[0]


def shapes_of(cell: Any, input_shape: Any) -> tuple[tuple[int | None, ...], list[tuple[int | None, ...]]]:
    """Shapes of a cell's output and of all states, for inputs of this shape in each time step."""
    if isinstance(cell, RecurrentCell):
        output, states = cell.compute_output_shape(input_shape)
        return output, states
    batch = input_shape[0]
    return (batch, output_size_of(cell)), [(batch, size) for size in state_sizes_of(cell)]


def own_initial_states(cell: Any, batch_size: int) -> States | None:
    """All states that a cell of a user's own begins with, if it says so; None for zeros.

    Args:
        cell: The cell.
        batch_size: The number of examples.
    """
    stacked = getattr(cell, "cells", None)
    if stacked is not None:
        zeros = all(own_initial_states(each, batch_size) is None for each in stacked)
        return None if zeros else [state for each in stacked for state in initial_states(each, batch_size)]
    method = getattr(type(cell), "get_initial_state", RecurrentCell.get_initial_state)
    if method is RecurrentCell.get_initial_state:
        return None
    states: States = tree_leaves(cell.get_initial_state(batch_size=batch_size))
    return states


def initial_states(cell: Any, batch_size: int) -> States:
    """All states that a cell begins with: its own, or zeros on the backend in use."""
    own = own_initial_states(cell, batch_size)
    if own is not None:
        return own
    backend = get_backend()
    _, shapes = shapes_of(cell, (batch_size, *(cell.build_shape or ())[1:]))
    dtype = backend.find_dtype(cell.compute_dtype)
    return [backend.xp.zeros(shape, dtype=dtype, device=backend.device) for shape in shapes]


def run_cell(cell: Any, x: Array, states: States, mask: Array | None, training: bool) -> tuple[Array, States]:
    """Run any cell along a sequence (time, batch, ...); as `loop`."""
    step: Any = functools.partial(cell, training=training)
    if isinstance(cell, RecurrentCell) and cell.calls_differently:
        with cell.in_sequence():
            return loop(step, x, states, mask, states[0])
    if hasattr(cell, "sequence"):  # the library's own cells compute a whole sequence at once
        result: tuple[Array, States] = cell.sequence(x, states, mask, training)
        return result
    return loop(step, x, states, mask)
