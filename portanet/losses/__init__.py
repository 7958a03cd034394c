"""The losses."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet.lookup import created, described, lookup, names, no_attribute, snake_case
from portanet.losses import functions
from portanet.losses.base import FunctionLoss, Loss
from portanet.losses.circle_loss import Circle, circle
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
    categorical_generalized_cross_entropy,
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
from portanet.losses.noise_robust import CategoricalGeneralizedCrossEntropy
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
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle, Contrastive,
    CosineSimilarity, Dice, GaussianNegativeLogLikelihood, HellingerDistance, Hinge, Huber, KLDivergence, LogCosh,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, MulticlassSVM,
    Poisson, QuadraticCost, SoftMargin, SparseCategoricalCrossentropy, SquaredHinge, Triplet, Tversky,
)  # fmt: skip
for _alias, _loss in {
    "bce": BinaryCrossentropy, "kld": KLDivergence, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError, "msle": MeanSquaredLogarithmicError,
}.items():  # fmt: skip
    LOSSES |= {_alias: _loss, _alias.upper(): _loss}


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """A loss by name or description, as in Keras: names of functions, such as "mse", give functions, those of classes
    objects. Given objects and functions are returned.

    Args:
        identifier: Name, description, object or function; None for None.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it; it gets an object in any case, with its checks of targets.

    Example:
        >>> from portanet import losses
        >>> losses.get("mse")([[0.0, 1.0]], [[2.0, 1.0]])
        array([2.], dtype=float32)
        >>> float(losses.get("MeanSquaredError")([[0.0, 1.0]], [[2.0, 1.0]]))
        2.0
    """
    if isinstance(of, str) and not of:
        if identifier is None or inspect.isfunction(identifier):
            return identifier
        if isinstance(identifier, str) and identifier in LOSSES and identifier != LOSSES[identifier].__name__:
            function = globals().get(snake_case(LOSSES[identifier].__name__))
            if function is not None:  # a few losses have none
                return function
    if getattr(identifier, "__module__", None) == functions.__name__:
        identifier = identifier.__name__  # a loss with its checks of targets
    loss = lookup("loss", identifier, LOSSES, name, of)
    return loss if isinstance(loss, Loss) else FunctionLoss(loss)


def serialize(loss: Any) -> Any:
    """The description of a loss that Keras would write, for `deserialize`.

    Args:
        loss: The loss.

    Example:
        >>> from portanet import losses
        >>> losses.deserialize(losses.serialize(losses.Huber(0.5))).delta
        0.5
    """
    return described(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss of a description by `serialize` or Keras's own, or of its name.

    Args:
        name: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> deserialize({"class_name": "Huber", "config": {"delta": 2.0}}).delta
        2.0
    """
    return created("loss", name, LOSSES, custom_objects)


__all__ = [
    "CTC",
    "BernoulliNegativeLogLikelihood",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
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
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "class_weights",
    "cosine_similarity",
    "ctc",
    "deserialize",
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
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "triplet",
    "tversky",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)
