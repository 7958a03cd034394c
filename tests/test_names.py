"""Names: what completion proposes, and what a wrong name is answered with."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.layers.state import INTERNAL


@pytest.mark.parametrize(
    ("module", "name", "meant"),
    [
        ("portanet", "optimisers", "optimizers"),
        ("portanet", "sequential", "Sequential"),
        ("portanet.layers", "Conv2d", "Conv2D"),
        ("portanet.layers", "Linear", "Dense"),
        ("portanet.layers", "BatchNorm2d", "BatchNormalization"),
        ("portanet.layers", "MaxPool2d", "MaxPool2D"),
        ("portanet.losses", "MSELoss", "MeanSquaredError"),
        ("portanet.losses", "CrossEntropyLoss", "SparseCategoricalCrossentropy"),
        ("portanet.metrics", "Acuracy", "Accuracy"),
        ("portanet.optimizers", "Adma", "Adam"),
        ("portanet.activations", "rleu", "relu"),
        ("portanet.initializers", "GlorotUnifrom", "GlorotUniform"),
        ("portanet.callbacks", "EarlyStoping", "EarlyStopping"),
        ("portanet.schedules", "CosineDecays", "CosineDecay"),
        ("portanet.models", "Sequental", "Sequential"),
        ("portanet.ops", "matmull", "matmul"),
        ("portanet.datasets", "minst", "mnist"),
        ("portanet.utils", "to_categorcal", "to_categorical"),
        ("portanet.preprocessing", "StandardScalar", "StandardScaler"),
        ("portanet.applications", "ResNet51", "ResNet50"),
    ],
)
def test_a_name_that_a_module_lacks_is_answered_with_the_nearest(module: str, name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=rf"module '{module}' has no attribute '{name}'. Did you mean '{meant}'\?"):
        getattr(importlib.import_module(module), name)
    assert hasattr(importlib.import_module(module), meant)


@pytest.mark.parametrize("module", ["", ".applications", ".layers", ".preprocessing", ".preprocessing.image", ".utils"])
def test_completion_proposes_names_that_are_imported_when_asked_for(module: str) -> None:
    of = importlib.import_module(f"portanet{module}")
    assert set(of.__all__) <= set(dir(of))


def test_a_name_like_no_other_gets_no_hint() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'zzz'$"):
        layers.zzz  # noqa: B018


def compiled(**options: Any) -> None:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile(**{"optimizer": "adam", "loss": "mse", **options})
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: compiled(metrics=["acuracy"]), r"Unknown metric. Did you mean 'accuracy'\?.* `metrics` of compile"),
        (lambda: compiled(metrics=["f1"]), r"Unknown metric. Did you mean 'f1_score'\?"),
        (lambda: compiled(loss="mean_square_error"), r"Unknown loss. Did you mean 'mean_squared_error'\?"),
        (lambda: compiled(optimizer="adma"), r"Unknown optimizer. Did you mean 'adam'\?.* adam, .*rmsprop"),
        (lambda: layers.Dense(3, activation="rleu"), r"Unknown activation. Did you mean 'relu'\?"),
        (lambda: layers.Dense(3, kernel_initializer="xavier"), r"Did you mean 'glorot_uniform'\?"),
        (lambda: layers.Dense(), r"Dense needs a value of argument `units`. Received: no arguments"),
        (lambda: layers.Dense(unit=3), r"Dense has no argument `unit`; did you mean `units`\?"),
        (lambda: portanet.optimizers.Adam(lr=0.1), r"Adam has no argument `lr`; did you mean `learning_rate`\?"),
    ],
)
def test_a_wrong_name_in_a_call(call: Callable[[], Any], hint: str) -> None:
    with pytest.raises((ValueError, TypeError), match=hint):
        call()


def test_names_are_listed_in_one_spelling() -> None:
    with pytest.raises(ValueError, match="Unknown optimizer") as caught:
        compiled(optimizer="zzz")
    listed = str(caught.value).split("one of ")[1].split(";")[0].split(", ")
    assert {"adam", "adamw", "rmsprop", "sgd"} <= set(listed)
    assert len({name.replace("_", "") for name in listed}) == len(listed)
    assert all(name.islower() for name in listed)


def test_the_library_shows_its_version_and_what_is_compatible() -> None:
    assert {"__version__", "compat", "layers", "Sequential"} <= set(dir(portanet))
    assert portanet.compat.__name__ == "portanet.compat"


def test_completion_of_models_has_what_users_call_and_no_internals() -> None:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    proposed = {name for name in dir(model) if name[0] != "_"}
    assert proposed.isdisjoint(INTERNAL)
    usual = "add compile evaluate fit get_layer history layers load_weights metrics optimizer predict save summary"
    assert {*usual.split(), "trainable_weights", "position", "to", "totals"} <= proposed
    assert "kernel" in dir(model.layers[0])
    assert {name for name in INTERNAL if not hasattr(model, name)} == set()


def test_completion_hides_nothing_of_keras() -> None:
    keras = pytest.importorskip("keras")
    assert set(dir(keras.Model)) & INTERNAL == set()
    assert set(dir(keras.layers.Layer)) & INTERNAL == set()
