"""The state of a model as a tree of arrays, and its loss as a pure function of it; as in Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array, held
from portanet.training.overridable import Overridable
from portanet.variables import Variable, bind, collect_losses

FORMATS = ("backend_tensor", "numpy_array")


class Stateless(Overridable):
    """A model whose state can be taken apart from it."""

    def _groups(self) -> dict[str, list[Any]]:
        """The variables of the model by the keys of `get_state_tree`."""
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": [] if self.optimizer is None else self.optimizer.variables,
            "metrics_variables": self.metrics_variables,
        }

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict[str, Any]]:
        """The values of all variables, in dicts by the parts of their paths.

        Args:
            value_format: `"backend_tensor"` for arrays of the model's library, `"numpy_array"` for copies in NumPy.

        Returns:
            A dict with `"trainable_variables"`, `"non_trainable_variables"`, `"optimizer_variables"` and
            `"metrics_variables"`.

        Raises:
            ValueError: Two variables have the same path.

        Example:
            >>> import portanet
            >>> from portanet import layers
            >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, name="out")])
            >>> model.get_state_tree("numpy_array")["trainable_variables"]["out"]["bias"]
            array([0.], dtype=float32)
        """
        checks.choice("value_format", value_format, FORMATS, "get_state_tree")
        return {name: _as_tree(variables, value_format) for name, variables in self._groups().items()}

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Assign values to variables; those that the tree leaves out keep theirs.

        Args:
            state_tree: What `get_state_tree` returned, or a part of it.

        Raises:
            ValueError: A key or a path is not one of the model's.
        """
        groups, given = self._groups(), checks.mapping("state_tree", state_tree, "set_state_tree")
        for name, tree in given.items():
            if name not in groups:
                raise checks.invalid("state_tree", name, f"a dict with keys {', '.join(groups)}", "set_state_tree")
            variables = {variable.path: variable for variable in groups[name]}
            for path, value in _flat(tree):
                if path not in variables:
                    known = ", ".join(variables) or "none"
                    raise ValueError(
                        f"Model '{self.name}' has no variable '{path}' among its {name}, which are: {known}. "
                        f"Received: a tree with '{path}'"
                    )
                variables[path].assign(value)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Array, tuple[Any, list[Array], list[Array]]]:
        """`compute_loss` as a pure function of the variables, which are left as they are.

        Args:
            trainable_variables: Values in the order of `trainable_variables`.
            non_trainable_variables: Values in the order of `non_trainable_variables`.
            metrics_variables: Values in the order of `metrics_variables`.
            x: See `compute_loss`, as for the others.
            y: Likewise.
            y_pred: Likewise.
            sample_weight: Likewise.
            training: Likewise.

        Returns:
            The loss; and the values of the three kinds of variables after it.

        Example:
            >>> import numpy as np
            >>> import portanet
            >>> from portanet import layers
            >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> state = [model.trainable_variables, model.non_trainable_variables, model.metrics_variables]
            >>> loss, _ = model.stateless_compute_loss(*state, y=np.ones((1, 1)), y_pred=np.full((1, 1), 3.0))
            >>> float(loss)
            4.0
        """
        from portanet.metrics.total_variables import arrays_of, holding
        from portanet.training.step_methods import loss_of

        others = self.non_trainable_variables
        bindings: dict[Variable, Any] = {}
        metrics, counts = self.metrics, [len(metric.variables) for metric in self.metrics]
        for name, values, variables in (
            ("trainable_variables", trainable_variables, self.trainable_variables),
            ("non_trainable_variables", non_trainable_variables, others),
            ("metrics_variables", metrics_variables, self.metrics_variables),
        ):
            if not isinstance(values, (list, tuple)) or len(values) != len(variables):
                expected = f"a list of {len(variables)} arrays"
                raise checks.invalid(name, values, expected, "stateless_compute_loss")
            if name != "metrics_variables":
                bindings |= dict(zip(variables, map(held, values), strict=True))
        with contextlib.ExitStack() as stack:
            bound = stack.enter_context(bind(bindings))
            stack.enter_context(collect_losses())
            start = 0
            for metric, count in zip(metrics, counts, strict=True):
                stack.enter_context(holding(metric, metrics_variables[start : start + count]))
                start += count
            loss = loss_of(self, x, y, y_pred, sample_weight, training)
            after = [array for metric in metrics for array in arrays_of(metric)]
            return loss, (trainable_variables, [bound[variable] for variable in others], after)


def _as_tree(variables: Sequence[Any], value_format: str) -> dict[str, Any]:
    """Values in dicts by the parts of paths."""
    tree: dict[str, Any] = {}
    for variable in variables:
        *outer, last = variable.path.split("/")
        inner = tree
        for part in outer:
            inner = inner.setdefault(part, {})
        if last in inner:
            raise ValueError(
                "The state of a model is a tree if its variables have paths of their own: give layers and metrics "
                f"unique names. Received: two variables '{variable.path}'"
            )
        inner[last] = variable.value if value_format == "backend_tensor" else variable.numpy()
    return tree


def _flat(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    """The values of a tree of dicts, by path."""
    if not isinstance(tree, Mapping):
        return [(path, tree)]
    return [each for name, part in tree.items() for each in _flat(part, f"{path}/{name}" if path else name)]
