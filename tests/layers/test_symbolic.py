"""What symbolic arrays cannot do: the error says what to write instead."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import Model, activations, layers, ops
from portanet.autodiff import array_namespace

LAMBDA = r"layers\.Lambda\(function\)\(x\).*Received: .*<SymbolicArray 'input_layer'"
CALLS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "sum": (lambda x: x.sum(), r"functions of portanet\.ops.*Received: x\.sum"),
    "T": (lambda x: x.T, r"functions of portanet\.ops.*Received: x\.T"),
    "float": (float, LAMBDA),
    "int": (int, LAMBDA),
    "index": (lambda x: [1, 2][x], LAMBDA),
    "math": (math.sin, LAMBDA),
    "bool": (lambda x: 1 if x > 0 else 2, r"condition.*ops\.where.*Received: <SymbolicArray 'greater'"),
    "and": (lambda x: x and x, LAMBDA),
    "asarray": (np.asarray, LAMBDA),
    "exp": (np.exp, r"Use portanet\.ops\.exp\(x, \.\.\.\).*Received: numpy\.exp of <SymbolicArray"),
    "add": (lambda x: np.add(x, 1), r"Use portanet\.ops\.add\(x, \.\.\.\).*Received: numpy\.add"),
    "mean": (lambda x: np.mean(x), r"Use portanet\.ops\.mean\(x, \.\.\.\).*Received: numpy\.mean"),
    "concatenate": (lambda x: np.concatenate([x, x]), r"Use portanet\.ops\.concatenate.*Received: numpy\.concatenate"),
    "len": (len, r"first axis .* not known.*Input\(shape, batch_size\).*Received: <SymbolicArray"),
    "list": (list, r"first axis .* not known.*iterated.*Received: <SymbolicArray"),
    "in place": (lambda x: x.__setitem__(0, 1), "'SymbolicArray' object does not support item assignment|__setitem__"),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_symbolic_array_has_no_values(case: str) -> None:
    call, message = CALLS[case]
    with pytest.raises((TypeError, AttributeError), match=message):
        call(layers.Input((3,)))


def test_missing_attributes_do_not_recurse() -> None:
    x = layers.Input((3,))
    assert not hasattr(x, "iloc")
    assert not hasattr(object.__new__(type(x)), "node")
    assert copy.copy(x).shape == (None, 3)


def test_methods_and_identity() -> None:
    x = layers.Input((3, 1))
    assert x.reshape((-1, 3)).shape == x.reshape(-1, 3).shape == (None, 3)
    assert x.squeeze(-1).shape == (None, 3)
    assert round(x).shape == (None, 3, 1)
    assert x == x
    assert x in [layers.Input((3,)), x]
    assert (x != 0).dtype == "bool"
    assert len({x, ops.exp(x), x}) == 2


def gated(x: Any) -> Any:
    xp = array_namespace(x)
    assert xp.isdtype(x.dtype, "real floating")
    return xp.astype(xp.concat([x * xp.sin(xp.pi * x), xp.abs(x)], axis=-1) > 0.5, xp.float32)


def test_functions_in_the_standard_and_activations() -> None:
    x, data = layers.Input((3,)), np.asarray([[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]], dtype="float32")
    functions = [gated, activations.relu, activations.relu6, activations.silu, activations.softmax, activations.elu]
    model = Model(x, [function(x) for function in functions])
    for function, result in zip(functions, model(data), strict=True):
        np.testing.assert_allclose(result, function(data), rtol=1e-6)
    with pytest.raises(AttributeError, match=r"layers\.Lambda\(function\)\(x\)\. Received: unknown"):
        x.__array_namespace__().unknown  # noqa: B018


def test_functions_that_use_symbolic_arrays_are_refused() -> None:
    x = layers.Input((3,))
    with pytest.raises(TypeError, match=r"ops\.cond use symbolic arrays; .*ops\.where.*Received: <SymbolicArray"):
        ops.cond(ops.sum(x) > 0, lambda: x, lambda: -x)


def test_errors_name_the_operation_and_shapes() -> None:
    x = layers.Input((3,))
    with pytest.raises(ValueError, match=r"ops\.matmul.*Received: ") as caught:
        x @ np.ones((4, 2), "float32")
    assert "In layer 'matmul'" in " ".join(caught.value.__notes__)
