"""array-api-strict: the standard and nothing else; its `device1` stands in for a GPU in tests."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np

from portanet.backends.base import Array, Backend, HostArray
from portanet.backends.holder import ArrayHolder


class StrictBackend(Backend):
    """array-api-strict on one of its devices: `CPU_DEVICE`, `device1`, `device2` or a restricted one."""

    name = "strict"
    library = "array_api_strict"
    shares_arrays = True

    @classmethod
    def load(cls) -> Any:
        import array_api_strict as xp

        let_operators_defer(xp)
        return xp

    @classmethod
    def devices(cls) -> dict[str, Any]:
        devices = cls.load().__array_namespace_info__().devices()
        return {str(device).split("'")[1]: device for device in devices}  # "array_api_strict.Device('device1')"

    def from_host(self, x: HostArray) -> Array:
        return self.xp.asarray(np.array(x), device=self.device)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        # Only the CPU device converts to NumPy; the others refuse, as a GPU's arrays do.
        return np.array(x.to_device(cls.devices()["CPU_DEVICE"]))

    @classmethod
    def owns(cls, x: Any) -> bool:
        return isinstance(x, type(cls.load().zeros(())))


@functools.cache
def let_operators_defer(xp: ModuleType) -> None:
    """Let operators of arrays leave variables and traced arrays on their right to these, as other libraries' do."""
    cls = type(xp.zeros(()))
    check = cls._check_type_device

    def check_others(self: Array, other: Any) -> None:
        if not isinstance(other, ArrayHolder) and not hasattr(other, "_trace"):
            check(self, other)

    cls._check_type_device = check_others
