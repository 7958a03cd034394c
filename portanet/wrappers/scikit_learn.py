"""Compiled models with scikit-learn's interface; `portanet.estimators` has networks that choose layers and loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from portanet import checks
from portanet.backends import HostArray
from portanet.estimators.base import require_unmasked
from portanet.models import Model, clone_model
from portanet.utils import to_categorical


class SKLBase(BaseEstimator):  # type: ignore[misc]
    """Base class of the wrappers: a compiled model with scikit-learn's interface.

    Args:
        model: A compiled model, of which each `fit` trains a copy; or a function `(X, y, **model_kwargs)` that returns
            one. `X` and `y` are the validated data; for classes, `y` is one-hot.
        warm_start: Whether each `fit` goes on with the model of the last, and the first with the given one itself.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of `Model.fit`; those of the wrapper's `fit` come before them.

    Attributes:
        model_: The trained model.
        history_: What `Model.fit` returned.
    """

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    _multi_output = True
    model_: Model

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train the model.

        Args:
            X: Shape (examples, features): NumPy, lists or pandas.
            y: Targets, shape (examples,) or (examples, outputs); labels of any kind for a classifier.
            **kwargs: Arguments of `Model.fit`.

        Raises:
            RuntimeError: The model is not compiled with a loss.
        """
        require_unmasked(X, y)
        X, y = validate_data(self, X, y, multi_output=self._multi_output)
        resume = checks.boolean("warm_start", self.warm_start, type(self)) and hasattr(self, "model_")
        targets = self._targets(y, resume)
        model = self.model_ if resume else self._make_model(X, targets)
        if not model.compiled or model.loss is None:
            raise RuntimeError(
                f"{type(self).__name__} needs a model that is compiled with a loss: call model.compile(optimizer, "
                f"loss) first. Received: model '{model.name}'"
            )
        options = {**self._options("fit_kwargs", self.fit_kwargs), **kwargs}
        self.history_ = model.fit(X, targets, **options)
        self.model_ = model
        return self

    def _make_model(self, X: HostArray, y: HostArray) -> Model:
        options = self._options("model_kwargs", self.model_kwargs)
        if isinstance(self.model, Model):
            return self.model if self.warm_start else clone_model(self.model)
        expected = "a compiled model, or a function (X, y) that returns one"
        if not callable(self.model) or isinstance(self.model, type):
            raise checks.invalid("model", self.model, expected, type(self))
        model = self.model(X=X, y=y, **options)
        if not isinstance(model, Model):
            raise TypeError(
                f"Argument `model` must be {expected}. Received: model={self.model!r}, which returned {model!r}"
            )
        return model

    def _options(self, name: str, given: Any) -> dict[str, Any]:
        if not (given is None or isinstance(given, Mapping)):
            raise checks.invalid(name, given, "a dict of arguments or None", type(self))
        return dict(given or {})

    def _targets(self, y: HostArray, resume: bool) -> HostArray:
        """The targets for the loss, as columns."""
        self._one_column = y.ndim == 1
        return y.reshape(-1, 1) if self._one_column else y

    def _outputs(self, X: Any) -> HostArray:
        """The outputs of the model."""
        check_is_fitted(self, "model_")
        require_unmasked(X)
        outputs: HostArray = self.model_.predict(validate_data(self, X, reset=False), verbose=0)
        return outputs

    def predict(self, X: Any) -> HostArray:
        """The outputs for each example, in the shape of the targets in `fit`."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._one_column and outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class SKLearnClassifier(ClassifierMixin, SKLBase):  # type: ignore[misc]
    """A compiled model as a classifier; it is trained on one-hot targets.

    Args:
        model: See `SKLBase`, as for all other parameters: a compiled model, or a function that returns one.
        warm_start: Whether each `fit` goes on with the model of the last.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of `Model.fit`.

    Attributes:
        classes_: The labels, sorted.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet.wrappers import SKLearnClassifier
        >>> def network(X, y, units):
        ...     layers = portanet.layers
        ...     sizes = [layers.Input((X.shape[1],)), layers.Dense(units), layers.Dense(y.shape[1], "softmax")]
        ...     model = portanet.Sequential(sizes)
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> x, y = np.eye(6), np.asarray(["a", "b"] * 3)
        >>> classifier = SKLearnClassifier(network, model_kwargs={"units": 4}, fit_kwargs={"verbose": 0})
        >>> classifier.fit(x, y, epochs=2).predict(x).shape
        (6,)
    """

    _multi_output = False

    def _targets(self, y: HostArray, resume: bool) -> HostArray:
        check_classification_targets(y)
        if not resume:
            self.classes_ = np.unique(y)
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size or len(self.classes_) == 1:
            expected = f"labels among {self.classes_.tolist()}" if unknown.size else "labels of more than one class"
            raise ValueError(f"Argument `y` must hold {expected}. Received: {np.unique(y).tolist()}")
        targets: HostArray = to_categorical(np.searchsorted(self.classes_, y), len(self.classes_))
        return targets

    def decision_function(self, X: Any) -> HostArray:
        """The outputs of the model, shape (examples, classes)."""
        return self._outputs(X)

    def predict(self, X: Any) -> HostArray:
        """The label of the largest output of each example."""
        best = np.argmax(self._outputs(X), axis=1)
        labels: HostArray = self.classes_[best]
        return labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, SKLBase):  # type: ignore[misc]
    """A compiled model as a regressor, with one or several outputs.

    Args:
        model: See `SKLBase`, as for all other parameters: a compiled model, or a function that returns one.
        warm_start: Whether each `fit` goes on with the model of the last.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of `Model.fit`.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet.wrappers import SKLearnRegressor
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.asarray([[0.0, 1.0], [1.0, 0.0]])
        >>> SKLearnRegressor(model).fit(x, x[:, 0], verbose=0).predict(x).shape
        (2,)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, SKLBase):  # type: ignore[misc]
    """A compiled model as a transformer: what it returns are features for the next step of a pipeline.

    Args:
        model: See `SKLBase`, as for all other parameters: a compiled model, or a function that returns one.
        warm_start: Whether each `fit` goes on with the model of the last.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of `Model.fit`.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet.wrappers import SKLearnTransformer
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(3)])
        >>> model.compile("sgd", "mse")
        >>> SKLearnTransformer(model).fit(np.eye(2), np.ones((2, 3)), verbose=0).transform(np.eye(2)).shape
        (2, 3)
    """

    def transform(self, X: Any) -> HostArray:
        """The outputs of the model for each example."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []
        return tags
