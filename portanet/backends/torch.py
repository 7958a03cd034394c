"""PyTorch, on the CPU or a CUDA device."""

from __future__ import annotations

from types import ModuleType

from portanet.backends.base import Array, Backend, HostArray


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`."""
    return rows.new_zeros((size, *rows.shape[1:])).index_add_(0, index, rows)


class TorchBackend(Backend):
    """PyTorch tensors; gradients are portanet's own, so tensors never require grad."""

    name = "torch"
    library = "torch"
    distribution = "torch"
    kernels = {"index_add": index_add}

    @classmethod
    def load(cls) -> ModuleType:
        import array_api_compat.torch as xp

        return xp

    @classmethod
    def devices(cls) -> list[str]:
        import torch

        return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]

    def find_device(self, device: object) -> object:
        import torch

        name = "cuda:0" if str(device) == "cuda" else device
        return torch.device(super().find_device(name))

    def from_host(self, x: HostArray) -> Array:
        import torch

        return torch.tensor(x, device=self.device)

    def to_host(self, x: Array) -> HostArray:
        host: HostArray = x.detach().cpu().numpy()
        return host if self.device.type != "cpu" else host.copy()

    def owns(self, x: Array) -> bool:
        import torch

        return isinstance(x, torch.Tensor)

    def synchronize(self) -> None:
        import torch

        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def memory(self) -> dict[str, int]:
        import torch

        if self.device.type != "cuda":
            return {}
        free, total = torch.cuda.mem_get_info(self.device)
        return {"used": total - free, "total": total}
