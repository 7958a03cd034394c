"""A recurrent layer run in both directions."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.configurable import clone
from portanet.layers.base import Layer
from portanet.layers.rnn.rnn import RNN
from portanet.layers.several_inputs import Several, masks_of

MERGE_MODES = ("concat", "sum", "mul", "ave", None)


class Bidirectional(Layer):
    """Run a recurrent layer forwards and another of its kind backwards (Schuster and Paliwal 1997).

    As `keras.layers.Bidirectional`: both layers are made anew from the configuration of the one given. With
    `return_sequences`, outputs of masked time steps are zeros.

    Args:
        layer: A recurrent layer: `RNN`, `SimpleRNN`, `LSTM`, `GRU`.
        merge_mode: How outputs become one: `"concat"`, `"sum"`, `"mul"`, `"ave"`, or None for a tuple of the two.
        backward_layer: The layer for the other direction, with `go_backwards` other than that of `layer`; by default
            like `layer`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Call arguments: as `RNN`; of `initial_state`, the first half is for `layer` and the second for `backward_layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Bidirectional(layers.GRU(4))(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 8)
    """

    several_inputs: Several = Several("sequence", more="initial_state")

    def __init__(
        self, layer: RNN, merge_mode: str | None = "concat", backward_layer: RNN | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        for name, value in (("layer", layer), ("backward_layer", backward_layer or layer)):
            if not isinstance(value, RNN):
                raise checks.invalid(name, value, "a recurrent layer", self)
        self.merge_mode = checks.choice("merge_mode", merge_mode, MERGE_MODES, self)
        self.forward_layer = _clone(layer, "forward", layer.go_backwards)
        self.backward_layer = _clone(backward_layer or layer, "backward", not layer.go_backwards)
        for key in ("return_sequences", "return_state", "stateful"):
            if getattr(self.forward_layer, key) != getattr(self.backward_layer, key):
                raise ValueError(
                    f"The two layers of '{self.name}' must agree in `{key}`. Received: "
                    f"{getattr(self.forward_layer, key)} and {getattr(self.backward_layer, key)}"
                )
        if backward_layer is not None and backward_layer.go_backwards == layer.go_backwards:
            raise ValueError(
                f"The two layers of '{self.name}' must go in different directions. "
                f"Received: go_backwards={layer.go_backwards} in both"
            )

    def build(self, input_shape: Any) -> None:
        self._place(self._path())
        self.forward_layer.build(input_shape)
        self.backward_layer.build(input_shape)

    def reset_state(self) -> None:
        """Set the states of stateful layers to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        x, *states = x
        half = len(states) // 2
        ahead = self.forward_layer([x, *states[:half]], training=training, mask=mask)
        back = self.backward_layer([x, *states[half:]], training=training, mask=mask)
        if not self.forward_layer.return_state:
            return self._merge(ahead, back)
        out = self._merge(ahead[0], back[0])
        return (*(out if self.merge_mode is None else (out,)), *ahead[1:], *back[1:])

    def _merge(self, ahead: Array, back: Array) -> Any:
        xp = array_namespace(ahead, back)
        if self.forward_layer.return_sequences:
            back = xp.flip(back, axis=1)
        if self.merge_mode == "concat":
            return xp.concat([ahead, back], axis=-1)
        if self.merge_mode == "mul":
            return ahead * back
        if self.merge_mode is None:
            return ahead, back
        return ahead + back if self.merge_mode == "sum" else (ahead + back) * 0.5

    def compute_output_shape(self, input_shape: Any) -> Any:
        found = [each.compute_output_shape(input_shape) for each in (self.forward_layer, self.backward_layer)]
        states: tuple[Any, ...] = ()
        if self.forward_layer.return_state:
            states = (*found[0][1:], *found[1][1:])
            found = [each[0] for each in found]
        if self.merge_mode is None:
            return (*found, *states)
        size = found[0][-1] + found[1][-1] if self.merge_mode == "concat" else found[0][-1]
        out = (*found[0][:-1], size)
        return (out, *states) if states else out

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        mask = masks_of(mask, 1)[0] if self.forward_layer.return_sequences else None
        out = [mask, mask] if self.merge_mode is None else [mask]
        if self.forward_layer.return_state:
            out += [None for layer in (self.forward_layer, self.backward_layer) for _ in layer.state_size]
        return out if len(out) > 1 else mask


def _clone(layer: RNN, direction: str, go_backwards: bool) -> RNN:
    """A layer of the same configuration, for one direction."""
    # Cells among the arguments of a layer have weights of their own, which the copy must not share.
    config = clone(layer.get_config())
    config["name"] = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
    config["go_backwards"] = go_backwards
    if layer.return_sequences:
        config["zero_output_for_mask"] = True
    return type(layer).from_config(config)
