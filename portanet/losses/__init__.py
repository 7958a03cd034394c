"""The losses."""

from __future__ import annotations

from typing import Any

from portanet.lookup import lookup, names
from portanet.losses import functions
from portanet.losses.base import FunctionLoss, Loss
from portanet.losses.classification import (
    BernoulliNegativeLogLikelihood,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from portanet.losses.ctc import CTC, ctc
from portanet.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from portanet.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
from portanet.losses.margin import CategoricalHinge, Hinge, MulticlassSVM, SoftMargin, SquaredHinge
from portanet.losses.overlap import Dice, Tversky
from portanet.losses.probability import GaussianNegativeLogLikelihood, HellingerDistance, KLDivergence, Poisson
from portanet.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    QuadraticCost,
)
from portanet.losses.similarity import Contrastive, Triplet, triplet
from portanet.losses.weights import class_weights

LOSSES = names(
    CTC, BernoulliNegativeLogLikelihood, BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalHinge, Contrastive, CosineSimilarity, Dice, GaussianNegativeLogLikelihood,
    HellingerDistance, Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError, MulticlassSVM, Poisson, QuadraticCost, SoftMargin,
    SparseCategoricalCrossentropy, SquaredHinge, Triplet, Tversky,
)  # fmt: skip
for _alias, _loss in {
    "bce": BinaryCrossentropy, "kld": KLDivergence, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError, "msle": MeanSquaredLogarithmicError,
}.items():  # fmt: skip
    LOSSES |= {_alias: _loss, _alias.upper(): _loss}


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Loss:
    """A loss by name, the given object, or a loss made of a function `(y_true, y_pred) -> loss of each example`.

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> from portanet import losses
        >>> losses.get("mse").name
        'mean_squared_error'
    """
    if getattr(identifier, "__module__", None) == functions.__name__:
        identifier = identifier.__name__  # a loss with its checks of targets
    loss = lookup("loss", identifier, LOSSES, name, of)
    return loss if isinstance(loss, Loss) else FunctionLoss(loss)


__all__ = [
    "CTC",
    "BernoulliNegativeLogLikelihood",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "Contrastive",
    "CosineSimilarity",
    "Dice",
    "FunctionLoss",
    "GaussianNegativeLogLikelihood",
    "HellingerDistance",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "MulticlassSVM",
    "Poisson",
    "QuadraticCost",
    "SoftMargin",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Triplet",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "class_weights",
    "cosine_similarity",
    "ctc",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "triplet",
    "tversky",
]
