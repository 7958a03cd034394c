"""Classes of layers that do not call `super().__init__()`, and variables of frozen layers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, models


def test_layers_without_super_init_say_so(backend: Any) -> None:
    class Lazy(layers.Layer):
        def __init__(self) -> None:
            self.inner = layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    class Early(layers.Layer):
        def __init__(self) -> None:
            self.w = self.add_weight((3,))

    class Late(Lazy):
        def __init__(self) -> None:
            super().__init__()
            layers.Layer.__init__(self)

    x = portanet.asarray(np.ones((2, 4), dtype="float32"))
    with pytest.raises(RuntimeError, match=r"Class Lazy must call super\(\).__init__\(\)"):
        Lazy()(x)
    with pytest.raises(RuntimeError, match="Class Early must call"):
        Early()
    with pytest.raises(RuntimeError, match="Class Lazy must call"):
        models.Sequential([Lazy()])
    assert Late()(x).shape == (2, 3)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = layers.Dense(3).nothing  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="has an input after it was called on symbolic arrays"):
        _ = layers.Dense(3).input
    assert copy.copy(layers.Dense(3)).units == 3


def test_variables_of_frozen_layers_are_not_trainable(backend: Any, tmp_path: Any) -> None:
    frozen = layers.Dense(2, trainable=False)
    frozen.build((None, 3))
    assert not frozen.kernel.trainable
    frozen.trainable = True
    assert frozen.kernel.trainable
    model = models.Sequential([layers.Input((3,)), layers.BatchNormalization(), layers.Dense(2)])
    model.trainable = False
    assert not any(variable.trainable for variable in model.weights)
    model.save(tmp_path / "model.safetensors")
    loaded = portanet.load_model(tmp_path / "model.safetensors")
    assert not any(variable.trainable for variable in loaded.weights)
    loaded.trainable = True
    assert [variable.trainable for variable in loaded.weights] == [True, True, False, False, True, True]
    loaded.layers[1].kernel.trainable = False
    assert [path for path in loaded.trainable_paths() if "dense" in path] == ["dense/bias"]
