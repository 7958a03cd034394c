"""Contexts of Keras: devices by Keras's names, scopes of names, functions that are computed again."""

from __future__ import annotations

from typing import Any

import pytest

import portanet
from portanet.autodiff import grad
from tests.support import asarray, assert_close


def test_a_device_by_its_name_in_keras_and_in_the_library(backend: Any) -> None:
    for name in ("cpu:0", "CPU", "cpu"):
        with portanet.device(name):
            assert portanet.get_backend().name == backend.name
            assert "cpu" in str(portanet.get_backend().device).lower()
            assert portanet.get_backend().dtype == backend.dtype
    assert portanet.get_backend().device == backend.device
    with pytest.raises(ValueError, match="no such device here"), portanet.device("tpu:7"):
        pass


def test_names_and_recomputation(xp: Any) -> None:
    calls = []

    @portanet.remat
    def cube(x: Any) -> Any:
        calls.append(x)
        return x * x * x

    with portanet.name_scope("block"):
        assert_close(grad(cube)(asarray(2.0)), 12.0)
    assert len(calls) == 2
    with pytest.raises(ValueError, match="Argument `name` of name_scope"), portanet.name_scope(3):
        pass


def test_scopes_name_variables(backend: Any) -> None:
    caller = object()
    with portanet.name_scope("outer") as outer, portanet.name_scope("inner", caller=caller):
        assert portanet.Variable([1.0], name="v").path == "outer/inner/v"
        with portanet.name_scope("inner", caller=caller):
            assert portanet.Variable([1.0], name="v").path == "outer/inner/v"
        with portanet.name_scope("x", override_parent="a/b"):
            assert portanet.Variable([1.0], name="v").path == "a/b/x/v"
        with portanet.name_scope("x", override_parent=""):
            assert portanet.Variable([1.0], name="v").path == "x/v"
        layer = portanet.layers.Dense(2)
        layer.build((None, 3))
        assert [variable.path for variable in layer.weights] == ["kernel", "bias"]
    assert outer.name == "outer"
    assert portanet.Variable([1.0], name="v").path == "v"
    with pytest.raises(ValueError, match="without `/`"), portanet.name_scope("a/b"):
        pass
