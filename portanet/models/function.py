"""`Function`: what a graph computes, as an operation."""

from __future__ import annotations

from typing import Any

from portanet.layers.operation import Operation
from portanet.layers.operation_call import as_operation
from portanet.layers.symbolic import SymbolicArray
from portanet.models.functional import Functional


class Function(Operation):
    """The computation from inputs to outputs of a graph, as an operation: it has no weights, layers in it keep theirs.

    Args:
        inputs: A symbolic array, or a list, tuple or dict of them.
        outputs: Likewise; results have the same form.
        name: Name.

    Example:
        >>> import numpy as np
        >>> from portanet import Function, KerasTensor, ops
        >>> x, y = KerasTensor((None, 2)), KerasTensor((None, 2))
        >>> f = Function([x, y], ops.maximum(x + y, 0.0))
        >>> f([np.asarray([[1.0, -2.0]]), np.asarray([[1.0, 1.0]])])
        array([[2., 0.]], dtype=float32)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        self._graph = Functional(inputs, outputs, self.name)
        self._results = outputs

    @property
    def inputs(self) -> list[SymbolicArray]:
        """The symbolic inputs."""
        return self._graph.inputs

    @property
    def outputs(self) -> list[SymbolicArray]:
        """The symbolic outputs."""
        return self._graph.outputs

    @property
    def operations(self) -> list[Operation]:
        """The layers and operations from the inputs to the outputs, in the order of a model's."""
        return [as_operation(layer) for layer in self._graph.sublayers().values()]

    def call(self, inputs: Any) -> Any:
        """Compute the outputs for arrays in the form of `inputs`."""
        return self._arranged(self._graph(inputs))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Shape and dtype of the outputs, as symbolic arrays in no graph."""
        return self._arranged(self._graph.compute_output_spec(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of these shapes.

        Args:
            input_shape: A shape with the batch axis, or a list, tuple or dict of them.
        """
        return self._arranged(self._graph.compute_output_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        """There is none: files hold a model in place of a function.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            f"Function '{self.name}' has no configuration, for files and copies; call Model(inputs, outputs) in its "
            "place, which computes the same and is saved with its weights. Received: a Function"
        )

    def _arranged(self, result: Any) -> Any:
        """What the graph returns, in a list or tuple of one if the outputs were."""
        listed = isinstance(self._results, (list, tuple)) and len(self._results) == 1
        return type(self._results)([result]) if listed else result
