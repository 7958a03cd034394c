"""In which dtype a layer computes: the part of a layer that follows its dtype policy."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from portanet.backends import get_backend
from portanet.configurable import Configurable
from portanet.mixed_precision import DTypePolicy, cast_floats, chosen_policy
from portanet.variables import Variable


class Casting(Configurable):
    """The dtype policy of a layer, and how inputs are cast by it; `Layer` builds on it.

    A layer without a policy keeps its weights and computes in the default dtype of its backend; if it has no weights
    either, in the dtype of its input.

    Args:
        dtype: A policy or its name; by default the global policy, where one is set.
    """

    autocast = True
    """Whether floating-point inputs are cast to the compute dtype."""

    def __init__(self, dtype: DTypePolicy | str | None = None) -> None:
        self._policy = chosen_policy(dtype)

    def first_variable(self) -> Variable | None:
        """Any variable of the layer, if it has one."""
        raise NotImplementedError

    def _own_variables(self) -> dict[str, Variable]:
        variables: dict[str, Variable] = self.__dict__.setdefault("_variables", {})
        return variables

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy of the dtypes in which weights are kept and the layer computes."""
        if self._policy is not None:
            return self._policy
        variable = self.first_variable()
        backend = get_backend() if variable is None else variable.backend
        return DTypePolicy(backend.dtype_name(backend.dtype))

    @property
    def compute_dtype(self) -> str:
        """Name of the dtype of the layer's computations and results."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Name of the dtype of the layer's weights."""
        return self.dtype_policy.variable_dtype

    def casts_to(self) -> str | None:
        """Name of the dtype to which weights are cast while the layer computes; None if they are used as they are."""
        return None if self._policy is None else self._policy.compute_dtype

    def in_compute_dtype(self, inputs: Any) -> Any:
        """The inputs (a tree), floating-point arrays cast to the dtype in which the layer computes."""
        if self._policy is not None:
            return cast_floats(inputs, self._policy.compute_dtype)
        own = next((v for v in self._own_variables().values() if not v.counter), None)
        return inputs if own is None else cast_floats(inputs, own.value.dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer, the policy in force when it was made among them."""
        config = super().get_config()
        if self._policy is not None and ("dtype" in config or _takes_options(type(self).__init__)):
            config["dtype"] = self._policy.name
        return config


@functools.cache
def _takes_options(init: Any) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(init).parameters.values())
