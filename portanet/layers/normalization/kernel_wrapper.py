"""The base class of wrappers that replace a layer's kernel."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.core.wrapper import Wrapper
from portanet.variables import Variable, bind


class KernelWrapper(Wrapper):
    """Wraps a layer and computes with another kernel, derived from the layer's by `kernel_in_use`.

    Args:
        layer: A layer with weights `kernel` or `embeddings`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if not isinstance(self._kernel(), Variable):
            raise ValueError(
                f"Layer '{self.name}' needs a layer with weights `kernel` or `embeddings`. Received: {self.layer!r}"
            )

    def _kernel(self) -> Any:
        return getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))

    def kernel_in_use(self, training: bool) -> Array:
        """The kernel to compute with."""
        raise NotImplementedError

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        kernel = self._kernel()
        with bind({kernel: self.kernel_in_use(training)}) as inner:
            out = self.layer(x, training=training, mask=mask)
        # Pass the layer's state updates on to the enclosing `bind`, if any.
        for variable, value in inner.items():
            if variable is not kernel and variable.value is not value:
                variable.assign(value)
        return out

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(inputs, mask)
