"""Dtype policies, under the names of `keras.dtype_policies`; see `portanet.mixed_precision`."""

from __future__ import annotations

from typing import Any

from portanet.mixed_precision import DTypePolicy, DTypePolicyMap, FloatDTypePolicy, as_policy

__all__ = ["DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "deserialize", "get", "serialize"]


def get(identifier: Any) -> DTypePolicy:
    """A policy by name or configuration, the policy passed, or the global one for None.

    Args:
        identifier: A policy, its name, or its config; None for the global one.

    Example:
        >>> get("mixed_float16").compute_dtype
        'float16'
    """
    if identifier is None:
        return DTypePolicy()
    return as_policy(identifier, "identifier", "dtype_policies.get")


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The configuration of a policy, for `deserialize`.

    Args:
        dtype_policy: A policy.

    Example:
        >>> serialize(DTypePolicy("float64"))["config"]
        {'name': 'float64'}
    """
    policy = as_policy(dtype_policy, "dtype_policy", "serialize")
    config = policy.get_config()
    if not isinstance(policy, DTypePolicyMap):
        return {"module": "keras", "class_name": "DTypePolicy", "config": config, "registered_name": None}
    config["policy_map"] = {key: serialize(each) for key, each in policy._policies.items()}
    name = type(policy).__name__
    return {"module": "keras.dtype_policies", "class_name": name, "config": config, "registered_name": None}


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """A policy from its configuration.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes of one's own, by their names.

    Example:
        >>> deserialize({"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}).compute_dtype
        'float16'
    """
    return get(config)
