"""PyTorch, on the CPU or an accelerator."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends import recording
from portanet.backends.base import Array, Backend, HostArray
from portanet.backends.graphs import Graphs
from portanet.backends.link import Link
from portanet.backends.machine import host_memory
from portanet.backends.torch import convolution, linalg, special
from portanet.backends.transfers import Transfers


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`."""
    return rows.new_zeros((size, *rows.shape[1:])).index_add_(0, index, rows)


class TorchBackend(Backend):
    """PyTorch tensors; gradients are portanet's own, so tensors never require grad."""

    name = "torch"
    library = "torch"
    shares_arrays = True
    keeps_constants = True
    half_precision = ("float16", "bfloat16")
    overrides = {
        **convolution.OVERRIDES,
        "cond": recording.cond,
        **linalg.OVERRIDES,
        **special.OVERRIDES,
        "index_add": index_add,
    }

    @classmethod
    def load(cls) -> Any:
        from portanet.backends.torch import namespace  # PyTorch is imported when it is needed

        return namespace

    @classmethod
    def devices(cls) -> dict[str, Any]:
        import torch

        kind = torch.accelerator.current_accelerator()
        count = 0 if kind is None else torch.accelerator.device_count()
        return {name: torch.device(name) for name in ("cpu", *(f"{kind.type}:{i}" for i in range(count)))}

    def from_host(self, x: HostArray) -> Array:
        import torch

        # The copy has no negative strides, which PyTorch refuses.
        return torch.from_numpy(np.array(x, order="C")).to(self.device)

    def adopt(self, x: HostArray) -> Array:
        import torch

        return torch.from_numpy(x).to(self.device)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        host = cls.view_on_host(x)
        return np.array(host) if x.device.type == "cpu" else host

    @classmethod
    def view_on_host(cls, x: Array) -> HostArray:
        import torch

        cls.require_plain(x)
        host: HostArray = (x.float() if x.dtype == torch.bfloat16 else x).numpy(force=True)
        return host

    @classmethod
    def owns(cls, x: Any) -> bool:
        import torch

        return isinstance(x, torch.Tensor)

    @classmethod
    def require_plain(cls, x: Array, what: str = "Data") -> None:
        import torch

        if x.is_nested:
            kind, remedy = "layout nested", "pad the rows"
        elif x.layout is not torch.strided:
            kind = f"layout {str(x.layout).removeprefix('torch.')}"
            remedy = "convert them with x.to_dense(), in batches if they are large"
        elif x.is_quantized:
            kind, remedy = f"dtype {str(x.dtype).removeprefix('torch.')}", "convert them with x.dequantize()"
        elif x.is_meta:
            kind, remedy = "device meta", "it has a shape and no values; create it on a device"
        else:
            return
        raise TypeError(
            f"{what} must be plain arrays: sparse, nested, quantized and meta tensors are not supported; {remedy}. "
            f"Received: a tensor of {kind}"
        )

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        if x.device.type == "cpu":
            return "free"
        return "never" if recording.recording() else "waits"

    @classmethod
    def use_float32_matmul_precision(cls, precision: str) -> None:
        import torch

        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = precision == "high"  # which PyTorch allows by default

    def synchronize(self) -> None:
        import torch

        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)

    @property
    def records(self) -> bool:
        return bool(self.device.type == "cuda")

    def graphs(self) -> Graphs:
        from portanet.backends.torch.graphs import TorchGraphs

        return TorchGraphs(self.device)

    def transfers(self) -> Transfers | None:
        if not self.records:
            return None
        from portanet.backends.torch.transfers import TorchTransfers

        return TorchTransfers(self.device, self.from_host)

    def link(self) -> Link | None:
        from portanet.backends.torch.link import TorchLink

        return TorchLink(self.device) if self.records else None

    def memory(self) -> dict[str, int]:
        import torch

        if self.device.type != "cuda":
            return host_memory() if self.device.type == "cpu" else {}
        free, total = torch.cuda.mem_get_info(self.device)
        return {"used": total - free, "total": total}
