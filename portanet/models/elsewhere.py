"""What models of other libraries have under names that models have not here."""

from __future__ import annotations

from typing import Any

IN_ITS_PLACE = {
    "cpu": "model.to('numpy')",
    "cuda": "model.to('cupy'), or model.to('torch', 'cuda')",
    "eval": "model(x), predict and evaluate, which compute as in inference",
    "evaluate_generator": "evaluate",
    "fit_generator": "fit",
    "forward": "model(x)",
    "load_state_dict": "load_weights, or portanet.saving.load_torch_state_dict(model, state_dict)",
    "named_parameters": "named_variables",
    "parameters": "trainable_variables",
    "predict_classes": "predict(x).argmax(axis=-1)",
    "predict_generator": "predict",
    "predict_proba": "predict",
    "score": "evaluate",
    "state_dict": "get_weights or named_variables",
    "train": "fit, and model(x, training=True)",
    "zero_grad": "nothing: gradients are not accumulated",
}


def no_attribute(model: Any, name: str) -> AttributeError:
    """The error for a name of `IN_ITS_PLACE`.

    Example:
        >>> import portanet
        >>> no_attribute(portanet.Sequential(), "predict_proba")
        AttributeError("'Sequential' object has no attribute 'predict_proba'; in its place: predict")
    """
    told = f"'{type(model).__name__}' object has no attribute '{name}'; in its place: {IN_ITS_PLACE[name]}"
    return AttributeError(told, name=name, obj=None)
