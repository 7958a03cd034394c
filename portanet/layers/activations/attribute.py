"""The attribute `activation` of layers, which may be set after they were created."""

from __future__ import annotations

from typing import Any

from portanet import activations


class HasActivation:
    """A layer with a function `activation`: a name or None may be set, too, and the configuration follows.

    Example:
        >>> from portanet import layers
        >>> layer = layers.Dense(2, "softmax")
        >>> layer.activation = None
        >>> layer.activation is activations.linear, layer.get_config()["activation"]
        (True, 'linear')
    """

    activation: Any
    epilogue: str | None
    """The activation, where an op can apply it to its result (`portanet.fused.epilogues`)."""
    _config: dict[str, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "activation":
            function = activations.get(value, "activation", self)
            if name in self.__dict__ and name in self._config:
                self._config[name] = value
            value = function
            super().__setattr__("epilogue", "relu" if function is activations.relu else None)
        super().__setattr__(name, value)
