"""Dense layers over any axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.initializers.scaled import with_axes
from portanet.layers.activations.attribute import HasActivation
from portanet.layers.base import Layer

FORM = re.compile(r"(\.\.\.)?([A-Za-z]+)(\.\.\.)?,([A-Za-z]+)->(\.\.\.)?([A-Za-z]+)(\.\.\.)?")


class EinsumDense(HasActivation, Layer):
    """`activation(einsum(equation, x, kernel) + bias)`; as `keras.layers.EinsumDense`.

    Args:
        equation: Letters for the axes of input, kernel and output, such as `"abc,cd->abd"`; `...` before or after the
            letters of input and output stands for axes that stay.
        output_shape: Sizes of the output's axes, without the batch axis and those of `...`; None for those of the
            input.
        activation: Name or function; None for none.
        bias_axes: Letters of the output's axes that the bias has; None for no bias.
        kernel_initializer: Initial values of the kernel; its fans are the products of the sizes of the axes that are
            in the input alone, and of those in the output.
        bias_initializer: Initial values of the bias.
        kernel_regularizer: Name or function: penalty on the kernel, added to the loss.
        bias_regularizer: Likewise on the bias.
        kernel_constraint: Name or function applied to the kernel after each update.
        bias_constraint: Likewise to the bias.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: an array with the axes of the equation. Output: likewise, dtype of the input.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.EinsumDense("abc,cde->abde", (None, 2, 8), bias_axes="de")
        >>> layer(np.ones((4, 5, 16), dtype="float32")).shape
        (4, 5, 2, 8)
    """

    independent_examples = True
    casts_integers = True

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.equation = checks.text("equation", equation, self)
        form = FORM.fullmatch(equation.replace(" ", ""))
        if form is None or form.group(1, 3) != form.group(5, 7) or (form[1] and form[3]):
            raise checks.invalid("equation", equation, "like 'ab,bc->ac', '...a,ab->...b' or 'ab...,bc->ac...'", self)
        self._ellipsis_first, self._ellipsis_last = bool(form[1]), bool(form[3])
        self._input, self._kernel, self._output = form[2], form[4], form[6]
        batch = "" if self._ellipsis_first else self._input[0]
        if not self._output.startswith(batch) or (batch and batch in self._kernel):
            expected = "one whose first axis, that of the examples, stays where it is and is not in the kernel"
            raise checks.invalid("equation", equation, expected, self)
        if not set(self._output) <= set(self._input + self._kernel) or not set(self._kernel) <= set(
            self._input + self._output
        ):
            expected = "one with every letter of the kernel in the input or output, and every one of the output before"
            raise checks.invalid("equation", equation, expected, self)
        self.partial_output_shape = checks.sizes(
            "output_shape", [output_shape] if isinstance(output_shape, int) else output_shape, self, least=1
        )
        own = self._output[len(batch) :]
        if len(own) != len(self.partial_output_shape):
            raise checks.invalid("output_shape", output_shape, f"a size for each of the axes {own!r}", self)
        self._sizes = dict(zip(own, self.partial_output_shape, strict=True))
        if bias_axes is not None and not (
            isinstance(bias_axes, str) and bias_axes and set(bias_axes) <= set(self._output)
        ):
            raise checks.invalid("bias_axes", bias_axes, f"None or some of the letters {self._output!r}", self)
        self.bias_axes = bias_axes
        self.activation = activation
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.bias_regularizer = regularizers.get(bias_regularizer, "bias_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)
        self.bias_constraint = constraints.get(bias_constraint, "bias_constraint", self)

    def build(self, input_shape: Any) -> None:
        sizes = self._known_sizes(input_shape)
        inputs = [axis for axis, letter in enumerate(self._kernel) if letter not in self._output]
        outputs = [axis for axis, letter in enumerate(self._kernel) if letter in self._output]
        self.kernel = self.add_weight(
            shape=tuple(sizes[letter] for letter in self._kernel),  # type: ignore[misc]
            initializer=with_axes(self.kernel_initializer, inputs, outputs),
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes is not None:
            first = min(map(self._output.index, self.bias_axes))
            shape = [sizes[letter] if letter in self.bias_axes else 1 for letter in self._output[first:]]
            shape += [1] * (len(input_shape) - len(self._input) if self._ellipsis_last else 0)
            self.bias = self.add_weight(
                shape=shape,  # type: ignore[arg-type]
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _known_sizes(self, shape: Any) -> dict[str, int | None]:
        """The sizes of all axes by letter, for an input of this shape."""
        elided, may_have_more = len(shape) - len(self._input), self._ellipsis_first or self._ellipsis_last
        other = self._built and len(shape) != len(self.build_shape)
        if other or elided < self._ellipsis_first or (elided and not may_have_more):
            form = f"{len(self.build_shape)} axes, like the first" if self._built else f"the axes of {self.equation!r}"
            raise ValueError(f"Layer '{self.name}' needs inputs with {form}. Received: shape {tuple(shape)}")
        sizes = dict(self._sizes)
        first = elided if self._ellipsis_first else 0
        for letter, size in zip(self._input, shape[first:], strict=False):
            expected = sizes.get(letter)
            if None not in (size, expected) and size != expected:
                raise ValueError(
                    f"Axis {letter!r} of {self.equation!r} in layer '{self.name}' has size {expected}. "
                    f"Received: an input of shape {tuple(shape)}"
                )
            sizes[letter] = expected if size is None else size
        return sizes

    def call(self, x: Array) -> Array:
        from portanet.ops.einsum import contract  # few models need all operations

        kernel = self.kernel.value
        sizes = self._known_sizes(x.shape)
        for axis, letter in enumerate(self._kernel):
            if letter in self._input and sizes[letter] != kernel.shape[axis]:
                self.require_axis(x, self._axis_of(letter, x.ndim), kernel.shape[axis])
        out = contract(self.equation, (x, kernel))
        if self.bias_axes is not None:
            bias = self.bias.value
            out = array_namespace(out, bias).add(out, bias)
        return self.activation(out)

    def _axis_of(self, letter: str, ndim: int) -> int:
        axis = self._input.index(letter)
        return axis + ndim - len(self._input) if self._ellipsis_first else axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = self._known_sizes(input_shape)
        own = tuple(sizes[letter] for letter in self._output)
        elided = len(input_shape) - len(self._input)
        if self._ellipsis_first:
            return (*input_shape[:elided], *own)
        return (*own, *input_shape[len(self._input) :])
