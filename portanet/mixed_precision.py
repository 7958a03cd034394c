"""Dtype policies, as in Keras: the dtypes in which layers store weights and compute."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import numpy as np

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import asarray, dtype_for, get_backend
from portanet.backends.base import FLOATS
from portanet.configurable import Configurable
from portanet.tree import tree_map

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy(Configurable):
    """The dtypes of a layer's weights and computations; as `keras.DTypePolicy`.

    A layer takes a policy, or its name, as `dtype`; `set_global_policy` sets the default. Floating-point inputs are
    cast to the compute dtype, which outputs also have; weights are stored and updated in the variable dtype.

    Args:
        name: `"float32"`, `"float64"`, `"float16"` or `"bfloat16"` for both; `"mixed_float16"` or `"mixed_bfloat16"` to
            compute in half precision with weights in float32. None for the global policy.

    Source: P. Micikevicius et al., Mixed precision training, 2018.

    Example:
        >>> policy = DTypePolicy("mixed_float16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('float16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        name = global_policy().name if name is None else name
        self.name: str = checks.choice("name", name, (*FLOATS, *MIXED), type(self))
        self.compute_dtype = MIXED.get(name, name)
        self.variable_dtype = "float32" if name in MIXED else name

    def convert_input(self, x: Any, autocast: bool, dtype: str) -> Any:
        """An input of a layer as an array of the current backend, floating-point numbers in a dtype.

        Args:
            x: An array, also of NumPy, or a symbolic one; anything else is returned unchanged.
            autocast: Whether to cast floating-point numbers.
            dtype: Name of the dtype.
        """
        if isinstance(x, np.ndarray):
            x = asarray(x, x.dtype.name)
        return cast_floats(x, dtype) if autocast and hasattr(x, "dtype") else x

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal policy, whatever the global one."""
        return {"name": self.name}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
"""Keras's name of the class of policies that are not quantized."""


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the paths of layers; as `keras.dtype_policies.DTypePolicyMap`.

    A layer that gets it as `dtype`, or by `set_global_policy`, has the policy of its path (its name, outside of a
    model): that of an equal key, else of the only key that matches as a regular expression, else the default.

    Args:
        default_policy: A policy or its name; None for the global one, whatever it is.
        policy_map: A dict of policies by paths or regular expressions.

    Raises:
        ValueError: The default is a map, too.
        TypeError: `policy_map` is no dict.

    Example:
        >>> policies = DTypePolicyMap("float32", {"encoder/.*": DTypePolicy("mixed_bfloat16")})
        >>> policies["encoder/dense"].name, policies["decoder"].name, policies.compute_dtype
        ('mixed_bfloat16', 'float32', 'float32')
    """

    def __init__(
        self, default_policy: DTypePolicy | str | None = None, policy_map: dict[str, DTypePolicy] | None = None
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise checks.invalid("default_policy", default_policy, "one policy, or its name", type(self))
        if not isinstance(policy_map, dict | None):
            raise TypeError(
                f"Argument `policy_map` of DTypePolicyMap must be a dict of policies by paths. Received: {policy_map!r}"
            )
        self._default = (
            None if default_policy is None else as_policy(default_policy, "default_policy", "DTypePolicyMap")
        )
        self._policies: dict[str, DTypePolicy] = {}
        self.update(policy_map or {})

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of other paths."""
        return DTypePolicy() if self._default is None else self._default

    @property
    def name(self) -> str:  # type: ignore[override]
        """A name that contains that of the default."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:  # type: ignore[override]
        """That of the default."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:  # type: ignore[override]
        """That of the default."""
        return self.default_policy.variable_dtype

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        matching = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{key}' matches several keys of a DTypePolicyMap; let one key match it. "
                f"Received: {', '.join(map(repr, matching))}"
            )
        return self._policies[matching[0]] if matching else self.default_policy

    def __setitem__(self, key: str, policy: DTypePolicy | str) -> None:
        if key in self._policies:
            raise ValueError(
                f"Key {key!r} of a DTypePolicyMap has a policy already; delete it first. "
                f"Received: {policy!r}, where it has {self._policies[key]!r}"
            )
        try:
            re.compile(checks.text("key", key, type(self)))
        except re.error as error:
            raise checks.invalid("key", key, f"a path or a regular expression ({error})", type(self)) from None
        self._policies[key] = as_policy(policy, "policy", "DTypePolicyMap")

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, DTypePolicyMap) and other._default == self._default
        return same and other._policies == self._policies  # type: ignore[attr-defined]

    __hash__ = DTypePolicy.__hash__

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal map, as plain data."""
        default = None if self._default is None else self._default.name
        return {"default_policy": default, "policy_map": {key: each.name for key, each in self._policies.items()}}

    def __repr__(self) -> str:
        entries = ", ".join(f"{key!r}: {policy.name!r}" for key, policy in self._policies.items())
        return f'<DTypePolicyMap "{self.default_policy.name}" {{{entries}}}>'


_global: list[DTypePolicy] = []


def set_global_policy(policy: DTypePolicy | str | None) -> None:
    """Set the policy of layers created from now on without `dtype`, in the whole process.

    Args:
        policy: A policy or its name; None for the backend's default dtype, as initially.

    Example:
        >>> import numpy as np
        >>> from portanet import layers, mixed_precision
        >>> mixed_precision.set_global_policy("mixed_float16")
        >>> dense = layers.Dense(2)
        >>> mixed_precision.set_global_policy(None)
        >>> dense(np.ones((1, 3), dtype="float32")).dtype, dense.kernel.dtype
        (dtype('float16'), dtype('float32'))
    """
    _global[:] = [] if policy is None else [as_policy(policy, of="set_global_policy")]


def global_policy() -> DTypePolicy:
    """The policy of layers without `dtype`: the one set, else the default dtype of the current backend.

    Example:
        >>> global_policy().compute_dtype
        'float32'
    """
    if _global:
        return _global[0]
    backend = get_backend()
    return DTypePolicy(backend.dtype_name(backend.dtype))


Policy = DTypePolicy
dtype_policy, set_dtype_policy = global_policy, set_global_policy


def chosen_policy(dtype: DTypePolicy | str | None, of: str | checks.Named = "") -> DTypePolicy | None:
    """The policy given by an argument `dtype`, else by `set_global_policy`; None if neither is set.

    Args:
        dtype: A policy, its name, or None.
        of: What has the argument, for errors.

    Example:
        >>> chosen_policy("float64").compute_dtype
        'float64'
    """
    if dtype is None:
        return _global[0] if _global else None
    return as_policy(dtype, "dtype", of)


def as_policy(policy: DTypePolicy | str, name: str = "policy", of: str | checks.Named = "") -> DTypePolicy:
    """A policy from its name; a policy is returned unchanged.

    Args:
        policy: The policy, its name, or the description of it in a `get_config`.
        name: Name of the argument that holds it, for errors.
        of: The layer or function that takes it.

    Example:
        >>> as_policy("mixed_float16").variable_dtype
        'float32'
    """
    if isinstance(policy, DTypePolicy):
        return policy
    if isinstance(policy, Mapping):  # as `get_config` describes it
        config = policy.get("config", {})
        if policy.get("class_name") == "DTypePolicyMap":
            return DTypePolicyMap.from_config(config)
        policy = config.get("name")
    return DTypePolicy(checks.choice(name, policy, (*FLOATS, *MIXED), of))


def cast_floats(tree: Any, dtype: Any, integers: bool = False, layer: Any = None) -> Any:
    """Cast the real floating-point arrays of a tree to a dtype (of their library, or its name).

    Args:
        tree: A tree of arrays; other leaves are unchanged.
        dtype: The dtype.
        integers: Whether to cast integers and booleans, too; else they are unchanged.
        layer: The layer whose input it is, for errors.

    Example:
        >>> import numpy as np
        >>> cast_floats([np.asarray([1.0]), np.asarray([1])], "float16")
        [array([1.], dtype=float16), array([1])]
    """
    if getattr(tree, "dtype", None) == dtype:  # as nearly always
        return tree

    def cast(leaf: Any) -> Any:
        if not hasattr(leaf, "dtype"):
            return leaf
        target = dtype_for(unwrap(leaf), dtype) if isinstance(dtype, str) else dtype
        if leaf.dtype == target:
            return leaf
        xp = array_namespace(leaf)
        kinds = _REALS if integers else "real floating"
        if integers:
            require_real(xp, leaf.dtype, layer)
        castable = xp.isdtype(leaf.dtype, kinds) and xp.isdtype(target, "real floating")
        return xp.astype(leaf, target) if castable else leaf

    return tree_map(cast, tree)


_REALS = ("real floating", "integral", "bool")
_float_dtypes: set[tuple[type, Any]] = set()
"""Real floating-point dtypes seen, since libraries take long to tell; with their types, of which each library has its
own."""


def cast_integers(tree: Any, layer: Any) -> Any:
    """Cast the integers and booleans of a tree to the compute dtype of a layer; other leaves are unchanged.

    Args:
        tree: An array, or a tree of arrays.
        layer: The layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> cast_integers(np.asarray([1, 2]), layers.Dense(2)).dtype
        dtype('float32')
    """

    def cast(leaf: Any) -> Any:
        dtype = getattr(leaf, "dtype", None)
        key = type(dtype), dtype
        if dtype is None or key in _float_dtypes:
            return leaf
        xp = array_namespace(leaf)
        if xp.isdtype(dtype, "real floating"):
            _float_dtypes.add(key)
        elif xp.isdtype(dtype, ("integral", "bool")):
            return xp.astype(leaf, dtype_for(unwrap(leaf), layer.compute_dtype))
        require_real(xp, dtype, layer)
        return leaf

    return cast(tree) if hasattr(tree, "dtype") else tree_map(cast, tree)


def require_real(xp: Any, dtype: Any, layer: Any = None) -> None:
    """Reject complex numbers.

    Args:
        xp: The namespace.
        dtype: The dtype.
        layer: The layer, for errors.

    Example:
        >>> import numpy as np
        >>> require_real(np, np.dtype("float32"))
    """
    if xp.isdtype(dtype, "complex floating"):
        owner = "Layers, losses and metrics take" if layer is None else f"Layer '{layer.name}' takes"
        raise TypeError(
            f"{owner} real numbers; pass the real and imaginary parts as separate features. "
            f"Received: an array of dtype {dtype}"
        )


_wide_dtypes: set[tuple[type, Any]] = set()
"""Likewise, those of at least 32 bits."""


def at_least_float32(tree: Any, integers: bool = False) -> Any:
    """Cast the half-precision arrays of a tree to float32, in which losses, metrics and penalties are computed.

    Args:
        tree: A tree of arrays.
        integers: Whether to cast integers and booleans, too: to the default dtype, or float32 if that is shorter.

    Example:
        >>> import numpy as np
        >>> at_least_float32(np.ones(2, dtype="float16")).dtype
        dtype('float32')
    """

    def cast(leaf: Any) -> Any:
        dtype = leaf.dtype
        key = type(dtype), dtype
        if key in _wide_dtypes:
            return leaf
        xp = array_namespace(leaf)
        if xp.isdtype(dtype, "real floating"):
            if xp.finfo(dtype).bits < 32:
                return xp.astype(leaf, xp.float32)
            _wide_dtypes.add(key)
        elif integers:
            require_real(xp, dtype)
            return xp.astype(leaf, xp.float64 if global_policy().name == "float64" else xp.float32)
        return leaf

    return cast(tree) if hasattr(tree, "dtype") else tree_map(cast, tree)


def __getattr__(name: str) -> Any:
    """`LossScaleOptimizer`, which stands above this module, as older scripts import it."""
    if name == "LossScaleOptimizer":
        return import_module("portanet.optimizers").LossScaleOptimizer
    raise AttributeError(f"module 'portanet.mixed_precision' has no attribute {name!r}")
