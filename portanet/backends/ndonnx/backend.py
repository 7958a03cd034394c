"""ndonnx: arrays that write an ONNX graph of what is computed with them."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array, HostArray
from portanet.backends.conversion import to_host
from portanet.backends.forward import ForwardBackend
from portanet.backends.ndonnx.convolution import OVERRIDES
from portanet.extras import install_command


class NdonnxBackend(ForwardBackend):
    """ndonnx arrays."""

    name = "ndonnx"
    library = "ndonnx"
    overrides = OVERRIDES

    @classmethod
    def install_command(cls) -> str:
        return install_command("onnx")

    @classmethod
    def load(cls) -> Any:
        import portanet.backends.ndonnx.namespace as xp

        return xp

    @classmethod
    def owns(cls, x: Any) -> bool:
        import ndonnx

        return isinstance(x, ndonnx.Array)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        values: HostArray = x.unwrap_numpy()  # which constants have
        return values

    @classmethod
    def takes(cls, x: Array, weights: Any) -> bool:
        return True

    @classmethod
    def constant(cls, value: Array) -> Array:
        import ndonnx

        return ndonnx.asarray(to_host(value))

    @classmethod
    def argument(cls, shape: tuple[int, ...], dtype: str) -> Array:
        """An input of a graph."""
        import ndonnx

        return ndonnx.argument(shape=shape, dtype=getattr(ndonnx, dtype))

    @classmethod
    def build(cls, inputs: dict[str, Array], outputs: dict[str, Array]) -> Any:
        """The graph between arguments and what was computed from them, an `onnx.ModelProto`."""
        import ndonnx

        return ndonnx.build(inputs, outputs)
