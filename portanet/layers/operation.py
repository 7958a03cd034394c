"""`Operation`: a function of arrays without weights that a graph can hold, and the base class of layers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from portanet import checks
from portanet.configurable import Configurable, named_arguments, shown
from portanet.layers.symbolic import Node, SymbolicArray
from portanet.lookup import snake_case
from portanet.tree import tree_leaves


class Operation(Configurable):
    """A function of arrays, with arguments of its own but no weights; layers are operations that have them.

    Subclasses implement `call`, with functions of `portanet.ops` or of the arrays' namespace. Called on symbolic arrays
    (see `Input`), an operation becomes a part of the graph; on others, it computes.

    Args:
        name: Name; by default the class name in snake case.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> class Shift(portanet.Operation):
        ...     def __init__(self, by, name=None):
        ...         super().__init__(name)
        ...         self.by = by
        ...     def call(self, x):
        ...         return x + self.by
        >>> x = portanet.Input((2,))
        >>> portanet.Model(x, Shift(3.0)(x))(np.asarray([[1.0, 2.0]]))
        array([[4., 5.]])
    """

    _nodes: list[Node]

    def __init__(self, name: str | None = None) -> None:
        self.name = snake_case(type(self).__name__) if name is None else checks.text("name", name, type(self))
        if "/" in self.name:
            raise checks.invalid("name", name, "a text without `/`", type(self))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute, or become a part of the graph of the symbolic arrays among the arguments."""
        if any(isinstance(leaf, SymbolicArray) for leaf in tree_leaves((args, kwargs))):
            return import_module("portanet.layers.operation_call").record_operation(self, args, kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output."""
        raise NotImplementedError(f"Operation '{self.name}' ({type(self).__name__}) does not implement call.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype of the output, as symbolic arrays; by default from a call on zeros.

        A subclass may tell them with `KerasTensor(shape, dtype)`; then `call` is not tried.

        Args:
            *args: Arguments of `call`, with symbolic arrays in place of arrays.
            **kwargs: Likewise, by keyword.

        Example:
            >>> import portanet
            >>> class Square(portanet.Operation):
            ...     def call(self, x):
            ...         return x * x
            >>> Square().compute_output_spec(portanet.KerasTensor((None, 2))).shape
            (None, 2)
        """
        return import_module("portanet.layers.operation_call").record_operation(self, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal operation."""
        config = super().get_config()
        return {**config, "name": self.name} if "name" in named_arguments(type(self)) else config

    def told_arguments(self) -> dict[str, Any]:
        return {name: value for name, value in super().told_arguments().items() if name != "name"}

    def __repr__(self) -> str:
        arguments = shown(self.told_arguments())
        return f"<{type(self).__name__} '{self.name}'{', ' if arguments else ''}{arguments}>"
