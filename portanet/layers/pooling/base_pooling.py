"""The base class of pooling over windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.windows import Window, window_of
from portanet.layers.spatial import Spatial


class Pooling(Spatial):
    """A layer that pools each window.

    Args:
        pool_size: Size of the window, one for all axes or one per axis.
        strides: Strides of the window; None for its size.
        padding: `"valid"`, `"same"`, or explicit: an integer, or for each axis an integer or a pair
            (before, after), less than the window's size.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        ceil_mode: Whether a last window may extend beyond the input and its padding, as in PyTorch.
        **options: `name`, `dtype` of `Layer`.
    """

    keeps_values = False
    casts_integers = True

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Any = "valid",
        data_format: str | None = None,
        *,
        ceil_mode: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(data_format, **options)
        self.ceil_mode = checks.boolean("ceil_mode", ceil_mode, self)
        self.pool_size = checks.integers("pool_size", pool_size, self.rank, self, least=1)
        self.strides = (
            self.pool_size if strides is None else checks.integers("strides", strides, self.rank, self, least=1)
        )
        if isinstance(padding, str):
            self.padding: Any = checks.padding(padding, ("valid", "same"), self)
        else:
            self.padding = checks.pairs("padding", padding, self.rank, self)
            if any(n >= k for pair, k in zip(self.padding, self.pool_size, strict=True) for n in pair):
                expected = f"less than pool_size={self.pool_size}: a window must overlap the input"
                raise checks.invalid("padding", padding, expected, self)
        if self.ceil_mode and self.padding == "same":
            raise checks.invalid("ceil_mode", ceil_mode, "False where padding='same', which rounds up as well", self)

    def window_over(self, space: Sequence[int]) -> Window:
        """The windows over an input of a spatial size."""
        window = self.declared_window(space)
        return window.beyond(space) if self.ceil_mode else window

    def declared_window(self, space: Sequence[int]) -> Window:
        """The same without what `ceil_mode` adds."""
        return window_of(tuple(space), self.pool_size, self.strides, self.padding, (1,) * self.rank)

    def channels_last_input(self, x: Array) -> Array:
        """The input with channels last."""
        self.require_space(x.shape)
        self.compute_output_shape(tuple(x.shape))
        return x if self.data_format == "channels_last" else array_namespace(x).moveaxis(x, 1, -1)

    def restored_output(self, x: Array) -> Array:
        """The output with channels on the input's axis."""
        return x if self.data_format == "channels_last" else array_namespace(x).moveaxis(x, -1, 1)

    def pool(self, x: Array, windows: Window) -> Array:
        """Pool each window of `x`, channels last."""
        raise NotImplementedError

    def call(self, x: Array) -> Any:
        x = self.channels_last_input(x)
        return self.restored_output(self.pool(x, self.window_over(x.shape[1:-1])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        shape = list(input_shape)
        known = [1 if shape[axis] is None else shape[axis] for axis in self.axes]
        for axis, count in zip(self.axes, self.window_over(known).positions(known), strict=True):
            if shape[axis] is not None:
                shape[axis] = count
                if count < 1:
                    raise ValueError(
                        f"The window of layer '{self.name}', of size {self.pool_size}, does not fit into the input. "
                        f"Received: an input of shape {tuple(input_shape)}"
                    )
        return tuple(shape)
