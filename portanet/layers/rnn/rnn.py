"""Layers that run a recurrent cell along a sequence."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, is_traced, lift, stop_gradient, unwrap
from portanet.backends import Array, device_of
from portanet.layers.base import Layer
from portanet.layers.rnn.cell import (
    RecurrentCell,
    States,
    grouped,
    initial_states,
    is_cell,
    own_initial_states,
    run_cell,
    shapes_of,
    state_sizes_of,
)
from portanet.layers.rnn.stacked_rnn_cells import StackedRNNCells
from portanet.layers.several_inputs import Several, entries, is_shape
from portanet.masks import masks_of
from portanet.variables import are_bound


class SequenceAndStates(Several):
    """Declares a sequence and initial states, which may be in lists, one per cell of a stack."""

    def __init__(self) -> None:
        super().__init__("sequences", more="initial_state")

    def entries(self, layer: Layer, x: Any) -> list[Any]:
        return super().entries(layer, _flattened(entries(x)))


def _flattened(x: list[Any]) -> list[Any]:
    """The entries of lists in a list, arrays or shapes."""
    parts = (_flattened(list(e)) if isinstance(e, (list, tuple)) and not is_shape(e) else [e] for e in x)
    return [entry for part in parts for entry in part]


class RNN(Layer):
    """Run a cell along a sequence; as `keras.layers.RNN`.

    A cell is a layer with an attribute `state_size` (a number, or a list of them) and `call(x, states)`, which returns
    the output and the list of new states for one time step; it may have `output_size` and take `training`.

    Masked time steps (mask False) do not change the states and repeat the previous output (initially that of the
    initial state; zeros for custom cells). Their inputs have no influence on outputs or gradients.

    Args:
        cell: A cell, or a list of cells, each of which feeds the next.
        return_sequences: Whether to return the output of every time step instead of the last.
        return_state: Whether to return the last states as well.
        go_backwards: Whether to go from the last time step to the first; outputs come in the order of computation.
        stateful: Whether the states at the end of a batch are those at the start of the next, example by example; the
            batch size must be fixed. Gradients stop at the start of the batch (truncated backpropagation through time).
        unroll: For Keras's scripts; every backend chooses the faster way itself.
        zero_output_for_mask: Whether outputs of masked time steps are zeros.
        learn_initial_state: Whether the initial state is a weight (initially zeros), the same for every example.
        truncate_gradient: If given, gradients flow back through at most this many steps: the sequence is split into
            parts of that length, between which the states are constants.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Call arguments, in addition to `training` and `mask` (boolean, shape (batch, time)):
        initial_state: List of arrays of shape (batch, size), one per state; for a list of cells, a list of states per
            cell. `layer([x, *states])` is the same.

    Input: shape (batch, time, features). Output: shape (batch, units), or (batch, time, units) with
    `return_sequences`; with `return_state` a tuple of that and the states, in the form of `initial_state`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RNN([layers.LSTMCell(8), layers.GRUCell(4)], return_sequences=True)
        >>> layer(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 5, 4)
    """

    several_inputs: Several = SequenceAndStates()
    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        learn_initial_state: bool = False,
        truncate_gradient: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        cells = cell if isinstance(cell, (list, tuple)) else [cell]
        if not cells or not all(map(is_cell, cells)):
            expected = "a layer with an attribute `state_size`, or a list of such layers"
            raise checks.invalid("cell", cell, expected, self)
        cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        self.cell = cell
        self.return_sequences = checks.boolean("return_sequences", return_sequences, self)
        self.return_state = checks.boolean("return_state", return_state, self)
        self.go_backwards = checks.boolean("go_backwards", go_backwards, self)
        self.stateful = checks.boolean("stateful", stateful, self)
        self.unroll = checks.boolean("unroll", unroll, self)
        self.states: Any = None
        """The variables that hold the states between batches, if `stateful`."""
        self.zero_output_for_mask = checks.boolean("zero_output_for_mask", zero_output_for_mask, self)
        self.learn_initial_state = checks.boolean("learn_initial_state", learn_initial_state, self)
        if stateful and learn_initial_state:
            raise ValueError(
                f"Layer '{self.name}' can start from the last batch's state or from a learned one, not both. "
                "Received: stateful=True, learn_initial_state=True"
            )
        self.truncate_gradient = (
            None if truncate_gradient is None else checks.positive_int("truncate_gradient", truncate_gradient, self)
        )

    @property
    def state_size(self) -> list[Any]:
        """Sizes of the states; for a list of cells, a list of sizes per cell."""
        size = self.cell.state_size
        return [size] if isinstance(size, int) else list(size)

    @property
    def single_state(self) -> bool:
        """Whether the cell has one state, rather than a list of them."""
        size = self.cell.state_size
        return isinstance(size, int) or (isinstance(self.cell, RecurrentCell) and len(size) == 1)

    def build(self, input_shape: Any) -> None:
        shape = self.sequence_of(input_shape)
        self.require_rank(shape, 3, "(batch, time, features)")
        self._ndim = len(shape)
        if not self.cell._built:
            self._place(self._path())
            self.cell.build((shape[0], *shape[2:]))
        _, states = shapes_of(self.cell, (shape[0], *shape[2:]))
        if self.learn_initial_state:
            self.initial_state = [
                self.add_weight(shape=state[1:], initializer="zeros", name=f"initial_state_{i}")  # type: ignore[arg-type]
                for i, state in enumerate(states)
            ]
        if self.stateful:
            if shape[0] is None:
                raise ValueError(
                    f"Layer '{self.name}' is stateful and needs a fixed batch size: give the model an "
                    f"Input(shape, batch_size=...). Received: shape {shape}"
                )
            self.states = [
                self.add_weight(shape=state, initializer="zeros", name=f"state_{i}", trainable=False)  # type: ignore[arg-type]
                for i, state in enumerate(states)
            ]
            for state in self.states:
                state.counter = True

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zeros, to start new sequences."""
        if not self.stateful:
            raise ValueError(f"Layer '{self.name}' keeps no state between batches. Received: stateful=False")
        for state in self.states if self._built else ():
            state.assign(state.backend.xp.zeros_like(state.value))

    def reset_states(self) -> None:
        """As `reset_state`, by its other name in Keras."""
        self.reset_state()

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states with which sequences begin, for the call argument `initial_state`: those of the cell, or zeros.

        Args:
            batch_size: The number of examples.

        Example:
            >>> from portanet import layers
            >>> [state.shape for state in layers.LSTM(3).get_initial_state(2)]
            [(2, 3), (2, 3)]
        """
        batch_size = checks.positive_int("batch_size", batch_size, self)
        return grouped(initial_states(self.cell, batch_size), self.cell)

    def sequence_of(self, x: Any) -> Any:
        """The sequence, or its shape, from a list of it and the states."""
        return self.several_inputs.entries(self, x)[0]

    def call(self, x: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        x = self.several_inputs.together(self, x, initial_state=initial_state)
        x, states, mask = self._prepare(x[0], masks_of(mask, 1)[0], x[1:])
        outputs, states = self._run(x, states, mask, training)
        if self.stateful:
            for variable, state in zip(self.states, states, strict=True):
                variable.assign(unwrap(state))
        return self._result(outputs, states, mask)

    def _prepare(self, x: Array, mask: Array | None, initial: States) -> tuple[Array, States, Array | None]:
        """The inputs with time first, the initial states, and the mask in the form (time, batch, 1)."""
        self.require_rank(x.shape, 3, "(batch, time, features)")
        if x.ndim != self._ndim:
            raise ValueError(
                f"Layer '{self.name}' was built for inputs with {self._ndim} axes. Received: shape {tuple(x.shape)}"
            )
        if x.shape[1] == 0:
            raise ValueError(f"Layer '{self.name}' needs at least one time step. Received: shape {tuple(x.shape)}")
        weights = [v.value for v in self.variables if not v.counter] if are_bound() else []
        xp = array_namespace(x, *weights)
        if is_traced(weights):
            x = lift(x)
        if mask is not None:
            mask = self._time_first_mask(x, unwrap(mask))
        x = self._time_first(xp, x)
        if mask is not None:
            # Masked steps may have any values, including NaN.
            x = xp.where(_broadcastable(mask, x), x, 0.0)
        return x, self._initial_states(xp, x, initial), mask

    def _time_first(self, xp: Any, x: Array) -> Array:
        x = xp.permute_dims(x, (1, 0, *range(2, x.ndim)))
        return xp.flip(x, axis=0) if self.go_backwards else x

    def _time_first_mask(self, x: Array, mask: Array) -> Array:
        """The mask in the form (time, batch, 1)."""
        if tuple(mask.shape) != tuple(x.shape[:2]):
            raise ValueError(
                f"Layer '{self.name}' needs a mask of shape (batch, time), here {tuple(x.shape[:2])}. "
                f"Received: {tuple(mask.shape)}"
            )
        raw = array_namespace(mask)
        mask = mask if raw.isdtype(mask.dtype, "bool") else mask != 0
        time_first: Array = self._time_first(raw, raw.expand_dims(mask, axis=-1))
        return time_first

    def _initial_states(self, xp: Any, x: Array, given: States) -> States:
        batch, dtype = x.shape[1], x.dtype
        _, expected = shapes_of(self.cell, tuple(x.shape[1:]))
        if given:
            states = given
        elif self.stateful:
            states = [v.value for v in self.states]
        elif self.learn_initial_state:
            states = [xp.broadcast_to(v.value, (batch, *v.shape)) for v in self.initial_state]
        elif (own := own_initial_states(self.cell, batch)) is not None:
            states = own
        else:
            device = device_of(unwrap(x))
            states = [xp.zeros(shape, dtype=dtype, device=device) for shape in expected]
        shapes = [tuple(s.shape) for s in states]
        if shapes != expected:
            kept = self.stateful and not given
            remedy = (
                f"; it is stateful: pass a multiple of {shapes[0][0]} examples, in batches of as many" if kept else ""
            )
            raise ValueError(
                f"Layer '{self.name}' needs states of shapes {expected} for this batch{remedy}. Received: {shapes}"
            )
        return [lift(s) for s in states] if is_traced(x) else states

    def _run(self, x: Array, states: States, mask: Array | None, training: bool) -> tuple[Array, States]:
        """The outputs of all time steps, and the last states."""
        size = self.truncate_gradient or x.shape[0]
        if size >= x.shape[0]:
            return run_cell(self.cell, x, states, mask, training)
        outputs = []
        for start in range(0, x.shape[0], size):
            part = slice(start, min(start + size, x.shape[0]))
            if start:
                states = [stop_gradient(s) for s in states]
            m = None if mask is None else mask[part, ...]
            out, states = run_cell(self.cell, x[part, ...], states, m, training)
            outputs.append(out)
        return array_namespace(*outputs).concat(outputs, axis=0), states

    def _result(self, outputs: Array, states: States, mask: Array | None) -> Any:
        xp = array_namespace(outputs)
        if self.return_sequences:
            if mask is not None and self.zero_output_for_mask:
                outputs = xp.where(_broadcastable(mask, outputs), outputs, 0.0)
            out = xp.permute_dims(outputs, (1, 0, *range(2, outputs.ndim)))
        elif isinstance(self.cell, RecurrentCell):
            out = states[0]  # equals outputs[-1], without a gradient of all outputs that is mostly zero
        else:
            out = outputs[-1, ...]
        return (out, *grouped(states, self.cell)) if self.return_state else out

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, time, *rest = self.sequence_of(input_shape)
        out, states = shapes_of(self.cell, (batch, *rest))
        out = (batch, time, *out[1:]) if self.return_sequences else out
        return (out, *grouped(states, self.cell)) if self.return_state else out

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        sequence_mask = masks_of(mask, 1)[0] if self.return_sequences else None
        if sequence_mask is not None and self.go_backwards:  # in the order of the outputs
            sequence_mask = array_namespace(sequence_mask).flip(sequence_mask, axis=1)
        return [sequence_mask, *(None for _ in state_sizes_of(self.cell))] if self.return_state else sequence_mask


def _broadcastable(mask: Array, x: Array) -> Array:
    """A mask (time, batch, 1) with as many axes as `x`."""
    return array_namespace(mask).reshape(mask, (*mask.shape[:2], *(1,) * (x.ndim - 2)))
