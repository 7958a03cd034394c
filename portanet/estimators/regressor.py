"""A regressor with scikit-learn's interface."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from portanet import checks
from portanet.backends import HostArray
from portanet.estimators.base import FLOATS, PortanetEstimator, require_unmasked


class PortanetRegressor(RegressorMixin, PortanetEstimator):  # type: ignore[misc]
    """A network with one or several outputs per example; the loss is the mean squared error.

    Networks learn best from targets of about unit scale: scale others, for instance with scikit-learn's
    `TransformedTargetRegressor`.

    Args:
        model: See `PortanetEstimator`, as for all other parameters.
        **options: `hidden_layer_sizes`, `activation`, `optimizer`, `loss`, `epochs`, `batch_size`, `learning_rate`,
            `random_state`, `validation_fraction`, `backend`, `dtype`, `verbose`, `callbacks`, `warm_start`.

    Attributes:
        model_: The network.
        history_: Loss after each epoch, and `val_loss`.
        n_iter_: Number of epochs so far.

    Example:
        >>> import numpy as np
        >>> from portanet.estimators import PortanetRegressor
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = np.hstack([x**2, np.abs(x)])
        >>> network = PortanetRegressor(epochs=300, learning_rate=0.01, random_state=0).fit(x, y)
        >>> network.predict(x).shape, network.score(x, y) > 0.9
        ((64, 2), True)
    """

    _last_activation = "linear"
    _default_loss = "mean_squared_error"
    _output_shape: tuple[int, ...]

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for `epochs`.

        Args:
            X: Shape (examples, features): NumPy, lists or pandas.
            y: Targets, shape (examples,) or (examples, outputs).
            sample_weight: Weight of each example.
        """
        return self._fit(X, y, sample_weight, self.epochs, checks.boolean("warm_start", self.warm_start, type(self)))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch, continuing from the last call; arguments as for `fit`."""
        return self._fit(X, y, sample_weight, 1, True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, epochs: int, resume: bool) -> Self:
        resume = resume and hasattr(self, "model_")
        require_unmasked(X, y, sample_weight)
        X, y = validate_data(self, X, y, dtype=FLOATS, reset=not resume, multi_output=True, y_numeric=True)
        shape = tuple(y.shape[1:])
        if resume and shape != self._output_shape:
            raise ValueError(
                f"Argument `y` must have the shape ({', '.join(map(str, ('examples', *self._output_shape)))}) of the "
                f"first call. Received: shape {y.shape}"
            )
        self._output_shape = shape
        return self._train(X, y, sample_weight, epochs, resume)

    def _targets(self, y: HostArray) -> HostArray:
        return y.reshape(len(y), -1)

    def _count_outputs(self) -> int:
        return self._output_shape[0] if self._output_shape else 1

    def predict(self, X: Any) -> HostArray:
        """The outputs for each example, in the shape of the targets in `fit`."""
        outputs = self._outputs(X)
        return outputs.reshape((len(outputs), *self._output_shape))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination, R^2; arguments as for `fit`."""
        require_unmasked(y, sample_weight)
        value: float = super().score(X, y, sample_weight)
        return value

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
