"""The picture of a model."""

from __future__ import annotations

from portanet import checks
from portanet.models import Diagram, Model, plot_model


def model(model: Model, expand_nested: bool = True, direction: str = "TB") -> Diagram:
    """Draw a model: a box for each layer, with name, output shape and number of parameters, and a line for each array.

    Args:
        model: A graph, or a built `Sequential`.
        expand_nested: Whether to show the layers of models in it, in a box of their own.
        direction: `"TB"` from top to bottom, `"LR"` from left to right, `"BT"` or `"RL"`.

    Returns:
        A `Diagram`, which notebooks show, and `diagram.save("model.svg")` writes to a file.

    Raises:
        ValueError: The model is not a graph, or not built.

    Example:
        >>> import portanet
        >>> from portanet import layers, plot
        >>> picture = plot.model(portanet.Sequential([layers.Input((8,)), layers.Dense(4), layers.Dense(2)]))
        >>> [box.name for box in picture.boxes]
        ['input_layer', 'dense', 'dense_1']
    """
    if not isinstance(model, Model):
        raise checks.invalid("model", model, "a model", "plot.model")
    direction = checks.choice("direction", direction, ("TB", "LR", "BT", "RL"), "plot.model")
    return plot_model(model, rankdir=direction, expand_nested=expand_nested)
