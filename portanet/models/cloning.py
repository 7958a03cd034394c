"""Copies of models."""

from __future__ import annotations

from typing import TypeVar

from portanet import checks
from portanet.configurable import clone
from portanet.models.model import Model

M = TypeVar("M", bound=Model)


def clone_model(model: M) -> M:
    """A model of the same architecture with new layers and new weights; as `keras.models.clone_model`.

    Args:
        model: A graph, a `Sequential`, or a custom model that its arguments describe.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
        >>> twin = portanet.models.clone_model(model)
        >>> list(twin.named_variables()), twin.layers[0] is model.layers[0]
        (['dense/kernel', 'dense/bias'], False)
    """
    if not isinstance(model, Model):
        raise checks.invalid("model", model, "a model", "clone_model")
    twin: M = clone(model)
    return twin
