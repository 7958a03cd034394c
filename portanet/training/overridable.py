"""The methods of a model that a subclass may override to change what happens to a batch in `fit`, as in Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from portanet.backends import Array
from portanet.configurable import is_of_user, overrides
from portanet.training.compiling import Compiled
from portanet.tree import tree_leaves
from portanet.variables import Variable

KINDS = ("train", "test", "predict")
IN_STEPS = ("compute_loss", "compute_metrics", "get_metrics_result", "reset_metrics", "metrics")


class Overridable(Compiled):
    """A model whose steps of training, evaluation and prediction may be overridden.

    Overridden methods run where the ordinary step would: variables have their values of the step, and nothing that is
    assigned to them lasts if the step fails. See docs/custom-steps.md.
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch.

        An override computes gradients with `value_and_gradients`, passes them to `optimizer.apply`, and updates
        metrics.

        Args:
            data: The batch: `x`, `(x, y)` or `(x, y, sample_weight)`, as it was passed to `fit`.

        Returns:
            Values to show and record, by name; the last batch's are those of the epoch.

        Example:
            >>> import numpy as np
            >>> import portanet
            >>> class Model(portanet.Model):
            ...     def train_step(self, data):
            ...         x, y = data
            ...         def loss_fn():
            ...             return self.compute_loss(x, y, self(x, training=True))
            ...         loss, gradients = self.value_and_gradients(loss_fn)
            ...         self.optimizer.apply(gradients, self.trainable_variables)
            ...         return {"loss": loss, "double": 2 * loss}
            >>> x = portanet.layers.Input((2,))
            >>> model = Model(x, portanet.layers.Dense(1, kernel_initializer="zeros")(x))
            >>> model.compile("sgd", "mse")
            >>> model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0).history
            {'loss': [1.0], 'double': [2.0]}
        """
        from portanet.training import step_methods

        return step_methods.train(self, data)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate one batch; see `train_step`."""
        from portanet.training import step_methods

        return step_methods.test(self, data)

    def predict_step(self, data: Any) -> Any:
        """The results for one batch; see `train_step`."""
        from portanet.training import step_methods

        return self(step_methods.unpacked(data)[0], training=False)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Array:
        """The loss of a batch: the losses of `compile`, those that layers added, and penalties of weights.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Predictions: what the model returned for `x`.
            sample_weight: Weights of the examples, or None.
            training: Whether this is a step of training.

        Returns:
            An array of shape ().

        Raises:
            ValueError: There is no loss.
        """
        from portanet.training import step_methods

        return step_methods.compute_loss(self, y, y_pred, sample_weight)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the metrics of `compile`, and return the results of all metrics by name; see `compute_loss`."""
        from portanet.training import step_methods

        step_methods.update_metrics(self, y, y_pred, sample_weight)
        return self.get_metrics_result()

    def value_and_gradients(
        self, loss_fn: Callable[[], Any], variables: Iterable[Variable] | None = None, has_aux: bool = False
    ) -> tuple[Any, list[Array]]:
        """The value of a loss and its gradients with respect to variables, for `optimizer.apply`.

        What the function assigns to other variables of the model, such as running means, is kept.

        Args:
            loss_fn: Function without arguments that returns an array of shape (); with `has_aux`, a pair of it and
                anything.
            variables: Floating-point variables; by default the model's that are trained.
            has_aux: Whether the function returns a pair.

        Returns:
            The loss (with `has_aux`, the pair), and one gradient per variable, in order; zeros where it has no
            influence.

        Raises:
            ValueError: The loss has another shape.

        Example:
            >>> import numpy as np
            >>> import portanet
            >>> model = portanet.Sequential([portanet.layers.Dense(1, kernel_initializer="ones")])
            >>> x = np.asarray([[1.0, 2.0]])
            >>> target, mse = np.asarray([[0.0]]), portanet.losses.MeanSquaredError()
            >>> loss, gradients = model.value_and_gradients(lambda: mse(target, model(x)))
            >>> float(loss), [g.tolist() for g in gradients]
            (9.0, [[[6.0], [12.0]], [6.0]])
        """
        from portanet.training import step_methods

        return step_methods.value_and_gradients(self, loss_fn, variables, has_aux)

    def make_train_function(self, force: bool = False) -> Callable[..., Any]:
        """The function that `fit` calls with an iterator over one batch; `train_function` holds it.

        Args:
            force: Whether to make it anew.
        """
        return self._make_function("train", force)

    def make_test_function(self, force: bool = False) -> Callable[..., Any]:
        """Likewise for `evaluate`, in `test_function`."""
        return self._make_function("test", force)

    def make_predict_function(self, force: bool = False) -> Callable[..., Any]:
        """Likewise for `predict`, in `predict_function`."""
        return self._make_function("predict", force)

    def _make_function(self: Any, kind: str, force: bool) -> Callable[..., Any]:
        """The attribute `{kind}_function`, made if there is none."""
        from portanet.training import custom

        name = f"{kind}_function"
        if force or getattr(self, name) is None:
            setattr(self, name, custom.StepFunction(self, kind))
        function: Callable[..., Any] = getattr(self, name)
        return function

    def _custom_function(self: Any, kind: str) -> Callable[..., Any]:
        """The function of a loop that calls overridden methods."""
        from portanet.training import custom

        function: Callable[..., Any] = custom.FUNCTIONS[kind](self)
        return function

    def overrides(self, *names: str) -> bool:
        """Whether any of these methods is not that of Portanet."""
        return overrides(type(self), Overridable, *names) or not vars(self).keys().isdisjoint(names)

    def has_custom_step(self, kind: str) -> bool:
        """Whether a step of training, evaluation (`"test"`) or prediction calls methods that are overridden.

        Metrics in attributes of the model or its layers make it so, too: layers may update them.
        """
        if kind == "predict":
            return self.overrides("predict_step", "make_predict_function")
        steps = [f"{k}_step" for k in KINDS[:2]] + [f"make_{k}_function" for k in KINDS[:2]]
        given = tree_leaves([self._settings.get(name) for name in ("metrics", "weighted_metrics")])
        return (
            self.overrides(*steps, *IN_STEPS)
            or next(self._own_metrics(), None) is not None
            or any(getattr(metric, "overridden", False) for metric in given)
            or any(is_of_user(type(self.optimizer), name) for name in ("apply", "scale_loss") if self.optimizer)
        )
