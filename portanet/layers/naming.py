"""Unique names of the layers of one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portanet.lookup import snake_case

if TYPE_CHECKING:
    from portanet.layers.base import Layer


class NamedLayers(dict[str, "Layer"]):
    """The layers of a model or layer by unique name, in order; adding one takes constant time.

    Attributes:
        names: The names by layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[Layer, str] = {}
        self._next: dict[str, int] = {}

    def add(self, layer: Layer) -> None:
        """Append a layer under its name, made unique unless the user chose it.

        The first call for a layer fixes its own name; it may have another in a second model.
        """
        name = layer.name
        if name in self:
            if layer._named:
                raise ValueError(
                    f"Two layers of one model have the same name; give one another name. Received: name={name!r}"
                )
            kind = snake_case(type(layer).__name__)
            number = self._next.get(kind, 1)  # entries are never removed, so smaller numbers stay taken
            while f"{kind}_{number}" in self:
                number += 1
            self._next[kind] = number + 1
            name = f"{kind}_{number}"
        if not layer._adopted:
            layer.name, layer._adopted = name, True
        self[name], self.names[layer] = layer, name
