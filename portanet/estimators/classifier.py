"""A classifier with scikit-learn's interface."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from portanet import checks
from portanet.backends import HostArray
from portanet.estimators.base import FLOATS, PortanetEstimator, require_unmasked
from portanet.utils import to_categorical


class PortanetClassifier(ClassifierMixin, PortanetEstimator):  # type: ignore[misc]
    """A network for mutually exclusive classes.

    The last layer returns probabilities (softmax), as that of a custom `model` must. The loss is cross-entropy.

    Args:
        model: See `PortanetEstimator`, as for all other parameters.
        **options: `hidden_layer_sizes`, `activation`, `optimizer`, `loss`, `epochs`, `batch_size`, `learning_rate`,
            `random_state`, `validation_fraction`, `backend`, `dtype`, `verbose`, `callbacks`, `warm_start`.

    Attributes:
        classes_: The labels, sorted.
        model_: The network.
        history_: Loss after each epoch, and `val_loss`.
        n_iter_: Number of epochs so far.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from portanet.estimators import PortanetClassifier
        >>> x, y = load_iris(return_X_y=True)
        >>> network = make_pipeline(StandardScaler(), PortanetClassifier(learning_rate=0.01, epochs=50, random_state=0))
        >>> network.fit(x, y).score(x, y) > 0.9
        True
    """

    _last_activation = "softmax"
    _default_loss = "sparse_categorical_crossentropy"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for `epochs`.

        Args:
            X: Shape (examples, features): NumPy, lists or pandas.
            y: Labels of any kind, shape (examples,).
            sample_weight: Weight of each example.
        """
        resume = checks.boolean("warm_start", self.warm_start, type(self)) and hasattr(self, "model_")
        require_unmasked(X, y, sample_weight)
        X, y = validate_data(self, X, y, dtype=FLOATS, reset=not resume)
        return self._fit(X, y, sample_weight, None, self.epochs, resume)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, continuing from the last call.

        Args:
            X: As for `fit`.
            y: As for `fit`.
            classes: All labels; required in the first call if `y` lacks some.
            sample_weight: Weight of each example.
        """
        resume = hasattr(self, "model_")
        require_unmasked(X, y, sample_weight)
        X, y = validate_data(self, X, y, dtype=FLOATS, reset=not resume)
        return self._fit(X, y, sample_weight, classes, 1, resume)

    def _fit(self, X: Any, y: Any, sample_weight: Any, classes: Any, epochs: int, resume: bool) -> Self:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if not resume:
            self.classes_ = np.unique(y if classes is None else classes)
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(
                f"Argument `y` must hold labels among the classes {self.classes_.tolist()} of the first call. "
                f"Received: {unknown.tolist()}"
            )
        return self._train(X, np.searchsorted(self.classes_, y), sample_weight, epochs, resume)

    def _targets(self, y: HostArray) -> HostArray:
        return y if self.model_.loss.integer_targets else to_categorical(y, len(self.classes_))

    def _count_outputs(self) -> int:
        return len(self.classes_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean accuracy; arguments as for `fit`."""
        require_unmasked(y, sample_weight)
        value: float = super().score(X, y, sample_weight)
        return value

    def predict_proba(self, X: Any) -> HostArray:
        """Probability of each class, in the order of `classes_`, shape (examples, classes).

        Raises:
            ValueError: The outputs of the model are not probabilities; its last layer must be a softmax.
        """
        outputs = self._outputs(X)
        sums = outputs.sum(axis=1, dtype="float64")
        if not (outputs.min() >= 0 and np.allclose(sums, 1, atol=1e-2)):
            raise ValueError(
                "predict_proba needs a model whose outputs are probabilities; end it with activation='softmax'. "
                f"Received: outputs from {outputs.min()} to {outputs.max()}, sums from {sums.min()} to {sums.max()}"
            )
        return outputs

    def predict(self, X: Any) -> HostArray:
        """The most probable label of each example."""
        indices = np.argmax(self._outputs(X), axis=1)
        labels: HostArray = self.classes_[indices]
        return labels
