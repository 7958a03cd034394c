"""Attributes of objects are Keras's: they are there, with Keras's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

import portanet
from tests.keras import instances
from tests.support import to_numpy

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras on PyTorch with NumPy 2
LIBRARIES = (keras, portanet)
ABSTRACT_OR_OF_TENSORFLOW = {
    "layers.HashedCrossing",
    "layers.Hashing",
    "layers.IntegerLookup",
    "layers.StringLookup",
    "layers.TextVectorization",
    "optimizers.Optimizer",
}


def test_objects_of_every_class_are_compared() -> None:
    pairs = instances.pairs()
    assert len(pairs) > 280
    alone = {path for path, (theirs, _) in pairs.items() if isinstance(theirs, type)}
    assert alone == ABSTRACT_OR_OF_TENSORFLOW


def test_arguments_are_kept_as_they_are_in_keras() -> None:
    assert instances.different() == {}


def host(x: Any) -> Any:
    return np.asarray(x.detach()) if hasattr(x, "detach") else to_numpy(x)


def close(values: Any, tolerance: float = 1e-6) -> None:
    theirs, ours = values
    np.testing.assert_allclose(host(ours), host(theirs), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("options", [{"curve": "PR"}, {"multi_label": True, "label_weights": [1.0, 2.0]}])
def test_interpolate_pr_auc(options: dict[str, Any]) -> None:
    draw = np.random.default_rng(0)
    y_true, y_pred = draw.integers(0, 2, (20, 2)).astype("float32"), draw.random((20, 2), "float32")
    metrics = [library.metrics.AUC(num_thresholds=11, **options) for library in LIBRARIES]
    for metric in metrics:
        metric.update_state(y_true, y_pred)
    close([metric.interpolate_pr_auc() for metric in metrics])


def test_normalized_weights() -> None:
    draw = np.random.default_rng(0)
    values = draw.random((3, 2), "float32"), draw.random(2, "float32"), draw.random((1, 2), "float32")
    results = []
    for library in LIBRARIES:
        layer = library.layers.SpectralNormalization(library.layers.Dense(2), power_iterations=2)
        layer.build((None, 3))
        layer.layer.set_weights(values[:2])
        layer.vector_u.assign(values[2])
        vector, kernel = layer.normalized_weights()
        results.append((host(vector), host(kernel)))
        np.testing.assert_array_equal(layer.vector_u.numpy(), values[2])
    for theirs, ours in zip(*results, strict=True):
        close((theirs, ours), 1e-5)


def test_linear_to_mel_weight_matrix() -> None:
    layers = [library.layers.MelSpectrogram() for library in LIBRARIES]
    close([layer.linear_to_mel_weight_matrix() for layer in layers], 1e-5)
    close([layer.linear_to_mel_weight_matrix(4, 33, 16000, 0.0, 7000.0) for layer in layers], 1e-5)


@pytest.mark.parametrize("x", [np.ones(2), np.ones(2, "float32"), np.ones(2, "int32"), 3.0, [1.0]], ids=str)
@pytest.mark.parametrize("autocast", [True, False])
def test_convert_input(x: Any, autocast: bool) -> None:
    results = [library.DTypePolicy("mixed_float16").convert_input(x, autocast, "float16") for library in LIBRARIES]
    dtypes = [str(getattr(result, "dtype", None)).rpartition(".")[2] for result in results]
    assert dtypes[0] == dtypes[1]


def test_projections_of_attention() -> None:
    x = np.ones((2, 3, 4), "float32")
    layers = [library.layers.GroupQueryAttention(5, 4, 2) for library in LIBRARIES]
    for layer in layers:
        layer(x, x)
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        theirs, ours = (getattr(layer, name, None) or getattr(layer, f"_{name}") for layer in layers)
        assert tuple(ours.kernel.shape) == tuple(theirs.kernel.shape)
        assert tuple(ours.bias.shape) == tuple(theirs.bias.shape)
    for name in ("head_dim", "num_query_heads", "num_key_value_heads", "num_repeats", "feature_dim"):
        assert getattr(layers[1], name) == getattr(layers[0], name)


def test_reduce_lr_on_plateau_tells_its_state() -> None:
    states: list[Any] = []
    for library in LIBRARIES:
        model = library.Sequential([library.Input((1,)), library.layers.Dense(1, kernel_initializer="ones")])
        model.compile(library.optimizers.SGD(1e-9), "mse")
        reduce = library.callbacks.ReduceLROnPlateau("loss", 0.5, patience=2, cooldown=2)
        seen: list[Any] = []

        class Look(library.callbacks.Callback):  # type: ignore[misc, name-defined]
            def on_epoch_end(self, epoch: int, logs: Any = None, reduce: Any = reduce, seen: Any = seen) -> None:
                seen.append((reduce.wait, reduce.cooldown_counter, reduce.in_cooldown(), reduce.best))

        model.fit(np.ones((2, 1)), np.zeros((2, 1)), epochs=6, verbose=0, callbacks=[reduce, Look()])
        states.append(seen)
    assert states[0] == states[1]


def test_config_is_a_dict() -> None:
    for library in LIBRARIES:
        config = library.utils.Config(a=1, b=2)
        assert (list(config.values()), list(config.items()), config.pop("a"), config.pop("c", 5)) == (
            [1, 2],
            [("a", 1), ("b", 2)],
            1,
            5,
        )
        config.freeze()
        assert config.frozen
        with pytest.raises(ValueError, match="frozen"):
            config.pop("b")


@pytest.mark.parametrize("form", ["one", "list", "tuple", "several", "dict", "nested"])
def test_models_tell_inputs_and_outputs_as_they_were_given(form: str) -> None:
    told = []
    for library in LIBRARIES:
        a, b = library.Input((3,), name="a"), library.Input((2,), name="b")
        inputs, outputs = {
            "one": (a, a * 2),
            "list": ([a], [a * 2]),
            "tuple": ((a,), (a * 2,)),
            "several": ([a, b], [b * 2, a * 2]),
            "dict": ({"b": b, "a": a}, {"z": b * 2, "a": a * 2}),
            "nested": ({"a": a, "y": [b]}, [a * 2, [b * 2]]),
        }[form]
        model = library.Model(inputs, outputs)
        names = ("shape", "name", "optional", "allow_last_axis_squeeze")
        specs = [[getattr(spec, name) for name in names] for spec in model.input_spec or []]
        shapes = [library.tree.map_structure(lambda x: str(x.shape), each) for each in (model.input, model.output)]
        told.append((shapes, specs, model.input_shape, model.output_shape))
    assert told[0] == told[1]


def test_an_input_spec_that_a_model_is_given_is_checked() -> None:
    for library in LIBRARIES:
        x = library.Input((None,))
        model = library.Model(x, x * 2)
        model.input_spec = library.layers.InputSpec(shape=(None, 3))
        assert model.input_spec.shape == (None, 3)
        model(np.ones((2, 3), "float32"))
        with pytest.raises(ValueError, match=r"(?s)shape.*\(2, 4\)"):
            model(np.ones((2, 4), "float32"))
