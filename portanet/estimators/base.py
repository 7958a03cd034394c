"""The base class of the estimators: parameters, training and pickling."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from portanet import activations, checks, layers, losses, optimizers, random
from portanet.backends import HostArray, backend_class_of, get_backend, make_backend, use_backend
from portanet.distribution.strategy import distribution
from portanet.losses import Loss
from portanet.models import Model, Sequential
from portanet.saving.model import set_stream_keys, stream_keys
from portanet.schedules.base import hyperparameter
from portanet.tree import tree_map

FLOATS = [np.float64, np.float32]
"""Supported dtypes of data; others are converted to the first."""


class PortanetEstimator(BaseEstimator):  # type: ignore[misc]
    """Base class of `PortanetClassifier` and `PortanetRegressor`: a network with scikit-learn's interface.

    Args:
        model: A function `(n_features, n_outputs) -> model` that replaces the network of `hidden_layer_sizes`. For
            pickling, it must be defined at the top level of a module.
        hidden_layer_sizes: Units of the hidden dense layers.
        activation: Activation of the hidden layers.
        optimizer: Name or object.
        loss: Name or object; None for the default of the task.
        epochs: Passes over the data in `fit`.
        batch_size: Examples per step; `"auto"` for all, at most 200.
        learning_rate: Learning rate of an optimizer given by name; None for its default.
        random_state: Seed of initial weights, shuffling and dropout: an int, or NumPy's RandomState or Generator to
            draw it from. No global state is read or changed.
        validation_fraction: Fraction of the examples to set aside for validation, drawn at random, of each class
            alike; 0 for none.
        backend: Name of a backend, or a backend; None for the one in use.
        dtype: Dtype of the computation, `"float32"` or `"float64"`; None for that of the data, as in scikit-learn:
            float64 data and integers are computed in float64. float32 is faster.
        verbose: As for `Model.fit`.
        callbacks: As for `Model.fit`; copies are used.
        warm_start: Whether `fit` continues from the weights of the last call.
    """

    def __init__(
        self,
        model: Callable[[int, int], Model] | None = None,
        *,
        hidden_layer_sizes: Sequence[int] = (100,),
        activation: Any = "relu",
        optimizer: Any = "adam",
        loss: Any = None,
        epochs: int = 200,
        batch_size: int | str = "auto",
        learning_rate: float | None = None,
        random_state: Any = None,
        validation_fraction: float = 0.0,
        backend: Any = None,
        dtype: str | None = None,
        verbose: Any = 0,
        callbacks: Sequence[Any] | None = None,
        warm_start: bool = False,
    ) -> None:
        self.model = model
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.validation_fraction = validation_fraction
        self.backend = backend
        self.dtype = dtype
        self.verbose = verbose
        self.callbacks = callbacks
        self.warm_start = warm_start

    _last_activation: str
    """Activation of the last layer of the default network."""
    _default_loss: str
    n_features_in_: int
    _dtype: str

    def _targets(self, y: HostArray) -> HostArray:
        """The targets for the loss."""
        raise NotImplementedError

    def _count_outputs(self) -> int:
        raise NotImplementedError

    # Training

    def _train(self, X: HostArray, y: HostArray, sample_weight: Any, epochs: int, resume: bool) -> Self:
        """Train a new network, or the existing one if `resume`, on validated data."""
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not (self.callbacks is None or isinstance(self.callbacks, (list, tuple))):
            raise checks.invalid("callbacks", self.callbacks, "a list of callbacks or None", type(self))
        epochs = checks.positive_int("epochs", epochs, type(self))
        seed, strategy = self._draw_seed(), distribution()
        seed = seed if strategy is None else strategy.agreed(seed)
        if not resume:
            self._dtype = str(X.dtype) if self.dtype is None else self.dtype
        with random.use_seed(seed), self._use_backend():
            if not resume:
                self.model_ = self._make_model()
                self.model_.compile(self._make_optimizer(), self._make_loss())
                self.history_: dict[str, list[float]] = {}
                self.n_iter_ = 0
            train, validation = self._split(y, seed)
            data = [X, self._targets(y), *([] if sample_weight is None else [sample_weight])]
            x, targets, *weights = [array[train] for array in data]
            auto = isinstance(self.batch_size, str) and self.batch_size == "auto"
            batch_size: Any = min(200, len(x)) if auto else self.batch_size
            history = self.model_.fit(
                x,
                targets,
                sample_weight=weights[0] if weights else None,
                batch_size=batch_size,
                initial_epoch=self.n_iter_,
                epochs=self.n_iter_ + epochs,
                verbose=self.verbose,
                validation_data=tuple(array[validation] for array in data) if len(validation) else None,
                callbacks=copy.deepcopy(list(self.callbacks or ())),
            )
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        self.n_iter_ += len(history.epoch)
        return self

    def _split(self, y: HostArray, seed: int) -> tuple[HostArray, HostArray]:
        """Indices of the examples for training and for validation."""
        indices = np.arange(len(y))
        fraction = checks.rate("validation_fraction", self.validation_fraction, type(self))
        if not fraction:
            return indices, indices[:0]
        labels = y if hasattr(self, "classes_") else None
        train, validation = train_test_split(indices, test_size=fraction, random_state=seed, stratify=labels)
        return train, validation

    def _use_backend(self) -> AbstractContextManager[Any]:
        """Use the network's backend and dtype in a `with` statement."""
        backend = get_backend() if self.backend is None else make_backend(self.backend)
        return use_backend(make_backend(backend.name, backend.device, self._dtype))

    def _draw_seed(self) -> int:
        if self.random_state is None:
            return int(np.random.default_rng().integers(2**31))
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31 - 1))
        if isinstance(self.random_state, np.random.Generator):
            return int(self.random_state.integers(2**31))
        return checks.integer("random_state", self.random_state, type(self), least=0)

    def _make_model(self) -> Model:
        """The network, built."""
        count = self._count_outputs()
        if self.model is None:
            if not isinstance(self.hidden_layer_sizes, (list, tuple)):
                expected = "a list of positive integers"
                raise checks.invalid("hidden_layer_sizes", self.hidden_layer_sizes, expected, type(self))
            sizes = [checks.positive_int("hidden_layer_sizes", n, type(self)) for n in self.hidden_layer_sizes]
            activation = activations.get(self.activation, "activation", type(self))
            hidden = [layers.Dense(size, activation) for size in sizes]
            if count == 1 and self._last_activation == "softmax":  # of the only class, which Dense would warn of
                last = [layers.Dense(1), layers.Softmax()]
            else:
                last = [layers.Dense(count, self._last_activation)]
            return Sequential([layers.Input((self.n_features_in_,)), *hidden, *last])
        model = checks.function("model", self.model, type(self))(self.n_features_in_, count)
        if not isinstance(model, Model):
            raise TypeError(
                "Argument `model` must be a function (n_features, n_outputs) -> portanet model. "
                f"Received: model={self.model!r}, which returned {model!r}"
            )
        if not model._built:
            model.predict(np.zeros((1, self.n_features_in_)))
        return model

    def _make_optimizer(self) -> Any:
        optimizer = copy.deepcopy(optimizers.get(self.optimizer, "optimizer", type(self)))
        if isinstance(self.optimizer, str) and self.learning_rate is not None:
            optimizer.learning_rate = hyperparameter("learning_rate", self.learning_rate, type(self), "[0, inf)")
        return optimizer

    def _make_loss(self) -> Loss:
        """The loss; given by name, it is divided by the sum of weights, so that weight 2 equals a repeated example."""
        if self.loss is not None and not isinstance(self.loss, str):
            given: Loss = copy.deepcopy(losses.get(self.loss, "loss", type(self)))
            return given
        loss: Loss = losses.get(self._default_loss if self.loss is None else self.loss, "loss", type(self))
        loss.reduction = "mean_with_sample_weight"
        return loss

    # Results

    def _outputs(self, X: Any) -> HostArray:
        """The outputs of the network."""
        check_is_fitted(self, "model_")
        require_unmasked(X)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        outputs: HostArray = self.model_.predict(X)
        return outputs

    # Pickling: parameters, from which the network is rebuilt, and on the host what it has learned and where it stands

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        model = state.pop("model_", None)
        if model is not None:
            paths, slots = model.optimizer_state or ([], {})
            state["_weights"] = model.get_weights()
            state["_training"] = {
                "counters": [v.numpy() for v in model.variables if v.counter],
                "streams": stream_keys(model),
                "trainable": [layer.trainable for layer in model.flatten_layers()],
                "optimizer": model.optimizer,
                "optimizer_state": (paths, tree_map(model.backend.to_host, slots)),
                "loss": model.loss,
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        weights, training = state.pop("_weights", None), state.pop("_training", None)
        super().__setstate__(state)
        if weights is not None:
            with random.use_seed(0), self._use_backend():
                self.model_ = self._make_model()
                self._restore(self.model_, weights, training)

    def _restore(self, model: Model, weights: list[HostArray], training: dict[str, Any] | None) -> None:
        """Bring a rebuilt network to where another one stood; pickles of earlier versions hold the weights alone."""
        if training is None:
            model.compile(self._make_optimizer(), self._make_loss())
            model.set_weights(weights)
            return
        model.compile(training["optimizer"], training["loss"], auto_scale_loss=False)
        model.set_weights(weights)
        counters = (v for v in model.variables if v.counter)
        for variable, value in zip(counters, training["counters"], strict=True):
            variable.assign(model.backend.from_host(value))
        set_stream_keys(model, training["streams"])
        for layer, trainable in zip(model.flatten_layers(), training["trainable"], strict=True):
            layer.trainable = trainable
        paths, slots = training["optimizer_state"]
        if paths:
            model.optimizer_state = paths, tree_map(model.backend.from_host, slots)


def require_unmasked(*data: Any) -> None:
    """Reject masked arrays, and lists with some, whose masks scikit-learn drops."""
    for x in data:
        for part in x if isinstance(x, (list, tuple)) else (x,):
            backend_class_of(part)
