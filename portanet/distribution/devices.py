"""The devices that a model may be trained on at the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import get_backend


def list_devices(device_type: str | None = None) -> list[str]:
    """The devices of the backend in use, by name.

    Args:
        device_type: `"cpu"`, `"gpu"` (or `"cuda"`) or `"tpu"`; by default those of the kind that is best.

    Example:
        >>> from portanet import distribution
        >>> distribution.list_devices("cpu")
        ['cpu']
    """
    names = list(get_backend().devices())
    if device_type is None:
        device_type = names[0].partition(":")[0]
    kind = checks.text("device_type", device_type, "list_devices")
    kinds = {"gpu", "cuda", "rocm"} if kind.lower() in ("gpu", "cuda") else {kind.lower()}
    return [name for name in names if name.partition(":")[0] in kinds]


def get_device_count(device_type: str | None = None) -> int:
    """How many devices `list_devices` names.

    Args:
        device_type: See `list_devices`.

    Example:
        >>> from portanet import distribution
        >>> distribution.get_device_count("cpu")
        1
    """
    return len(list_devices(device_type))


class DeviceMesh:
    """Devices in a grid whose axes have names, as `keras.distribution.DeviceMesh`.

    Args:
        shape: Devices along each axis.
        axis_names: A name for each axis.
        devices: Their names; by default all that `list_devices` names.

    Raises:
        ValueError: There is another number of devices, or of names.

    Example:
        >>> from portanet import distribution
        >>> distribution.DeviceMesh((1,), ["batch"], ["cpu"])
        DeviceMesh(shape=(1,), axis_names=['batch'], devices=['cpu'])
    """

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str], devices: Sequence[str] | None = None) -> None:
        self.shape = checks.integers("shape", tuple(shape), of=type(self), least=1)
        self.axis_names = [checks.text("axis_names", name, type(self)) for name in axis_names]
        self.devices = list(list_devices() if devices is None else devices)
        if len(self.axis_names) != len(self.shape):
            raise checks.invalid("axis_names", axis_names, f"{len(self.shape)} names", type(self))
        if len(self.devices) != math.prod(self.shape):
            raise checks.invalid(
                "shape", self.shape, f"one whose product is the number of devices, {len(self.devices)}", type(self)
            )

    def __repr__(self) -> str:
        return f"DeviceMesh(shape={self.shape}, axis_names={self.axis_names}, devices={self.devices})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DeviceMesh) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]
