"""Bidirectional recurrent layers."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.configurable import arguments_of, clone
from portanet.layers.base import Layer
from portanet.layers.rnn.cell import state_sizes_of
from portanet.layers.rnn.rnn import RNN, SequenceAndStates
from portanet.layers.several_inputs import Several
from portanet.masks import masks_of

MERGE_MODES = ("concat", "sum", "mul", "ave", None)


class Bidirectional(Layer):
    """Run a recurrent layer forwards and another of its kind backwards (Schuster and Paliwal 1997).

    As `keras.layers.Bidirectional`: both layers are created from the configuration of the one passed. With
    `return_sequences`, outputs of masked time steps are zeros.

    Args:
        layer: A recurrent layer: `RNN`, `SimpleRNN`, `LSTM`, `GRU`.
        merge_mode: How outputs are combined: `"concat"`, `"sum"`, `"mul"`, `"ave"`, or None for a tuple of the two.
        weights: None; give weights by `set_weights`. Here for calls by position, as in Keras.
        backward_layer: The layer for the other direction, with the opposite `go_backwards`; by default like `layer`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Call arguments: as `RNN`; in `initial_state`, the states for `layer` come before those for `backward_layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Bidirectional(layers.GRU(4))(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 8)
    """

    several_inputs: Several = SequenceAndStates()
    supports_masking = True

    def __init__(
        self,
        layer: RNN,
        merge_mode: str | None = "concat",
        weights: None = None,
        backward_layer: RNN | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if weights is not None:
            raise checks.invalid("weights", weights, "None; give weights by set_weights", self)
        for name, value in (("layer", layer), ("backward_layer", layer if backward_layer is None else backward_layer)):
            if not isinstance(value, RNN):
                raise checks.invalid(name, value, "a recurrent layer", self)
        self.merge_mode = checks.choice("merge_mode", merge_mode, MERGE_MODES, self)
        self.forward_layer = _clone(layer, "forward", layer.go_backwards)
        self.backward_layer = _clone(backward_layer or layer, "backward", not layer.go_backwards)
        for key in ("return_sequences", "return_state", "stateful"):
            if getattr(self.forward_layer, key) != getattr(self.backward_layer, key):
                raise ValueError(
                    f"The two layers of '{self.name}' must have the same `{key}`. Received: "
                    f"{getattr(self.forward_layer, key)} and {getattr(self.backward_layer, key)}"
                )
        if backward_layer is not None and backward_layer.go_backwards == layer.go_backwards:
            raise ValueError(
                f"The two layers of '{self.name}' must go in different directions. "
                f"Received: go_backwards={layer.go_backwards} in both"
            )

    @property
    def return_sequences(self) -> bool:
        """`return_sequences` of both layers; likewise `return_state` and `stateful`."""
        return bool(self.forward_layer.return_sequences)

    @property
    def return_state(self) -> bool:
        """See `return_sequences`."""
        return bool(self.forward_layer.return_state)

    @property
    def stateful(self) -> bool:
        """See `return_sequences`."""
        return bool(self.forward_layer.stateful)

    @property
    def states(self) -> Any:
        """The states of both layers, if they are stateful and built; else None."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if forward is None else (*forward, *backward)

    def build(self, input_shape: Any) -> None:
        self._place(self._path())
        self.forward_layer.build(input_shape)
        self.backward_layer.build(input_shape)

    def reset_state(self) -> None:
        """Set the states of stateful layers to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """As `reset_state`, by its other name in Keras."""
        self.reset_state()

    def call(self, x: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        x, *states = self.several_inputs.together(self, x, initial_state=initial_state)
        count = len(state_sizes_of(self.forward_layer.cell))
        forward = self.forward_layer([x, *states[:count]], training=training, mask=mask)
        backward = self.backward_layer([x, *states[count:]], training=training, mask=mask)
        if not self.forward_layer.return_state:
            return self._merge(forward, backward)
        out = self._merge(forward[0], backward[0])
        return (*(out if self.merge_mode is None else (out,)), *forward[1:], *backward[1:])

    def _merge(self, forward: Array, backward: Array) -> Any:
        xp = array_namespace(forward, backward)
        if self.forward_layer.return_sequences:
            backward = xp.flip(backward, axis=1)
        if self.merge_mode == "concat":
            return xp.concat([forward, backward], axis=-1)
        if self.merge_mode == "mul":
            return forward * backward
        if self.merge_mode is None:
            return forward, backward
        return forward + backward if self.merge_mode == "sum" else (forward + backward) * 0.5

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = [layer.compute_output_shape(input_shape) for layer in (self.forward_layer, self.backward_layer)]
        states: tuple[Any, ...] = ()
        if self.forward_layer.return_state:
            states = (*shapes[0][1:], *shapes[1][1:])
            shapes = [shape[0] for shape in shapes]
        if self.merge_mode is None:
            return (*shapes, *states)
        size = shapes[0][-1] + shapes[1][-1] if self.merge_mode == "concat" else shapes[0][-1]
        out = (*shapes[0][:-1], size)
        return (out, *states) if states else out

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = masks_of(self.forward_layer.compute_mask(inputs, mask), 1)[0]
        out = [mask, mask] if self.merge_mode is None else [mask]
        if self.forward_layer.return_state:
            out += [None for layer in (self.forward_layer, self.backward_layer) for _ in state_sizes_of(layer.cell)]
        return out if len(out) > 1 else mask


def _clone(layer: RNN, direction: str, go_backwards: bool) -> RNN:
    """Clone a layer for one direction."""
    # `clone` also copies cells among the arguments, whose weights must not be shared.
    config = clone(arguments_of(layer))
    config["name"] = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
    config["go_backwards"] = go_backwards
    if layer.return_sequences:
        config["zero_output_for_mask"] = True
    return type(layer).from_config(config)
