"""array-api-strict: the standard and nothing else; its `device1` stands in for a GPU in tests."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from portanet.backends.base import Array, Backend, HostArray


class StrictBackend(Backend):
    """array-api-strict on one of its devices: `CPU_DEVICE`, `device1`, `device2` or a restricted one."""

    name = "strict"
    library = "array_api_strict"
    distribution = "array-api-strict"

    @classmethod
    def load(cls) -> ModuleType:
        import array_api_strict as xp

        return xp

    def find_device(self, device: Any) -> Any:
        for candidate in self.devices():
            if str(device) in str(candidate).split("'"):
                return candidate
        return super().find_device(device)

    def from_host(self, x: HostArray) -> Array:
        return self.xp.asarray(np.array(x), device=self.device)

    def to_host(self, x: Array) -> HostArray:
        # Only the CPU device converts to NumPy; the others refuse, as a GPU's arrays do.
        return np.array(x.to_device(self.devices()[0]))

    def owns(self, x: Array) -> bool:
        import array_api_strict

        return isinstance(x, type(array_api_strict.zeros(())))
