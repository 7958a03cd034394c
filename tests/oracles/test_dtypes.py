"""Dtypes of inputs against Keras 3: models of integers, booleans and other floats; losses and metrics of integers.

Not compared: layers that merge an `Input(dtype="uint8")` (Keras computes in uint8: 200 + 200 = 144).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, metrics

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")

RNG = np.random.default_rng(3)
ROWS, SEQUENCES, IMAGES = (4, 6), (4, 6, 3), (4, 6, 6, 3)
DTYPES = ("uint8", "int32", "int64", "bool", "float16", "float32", "float64")


def of_two(name: str, **options: Any) -> Any:
    return lambda kind: lambda x: getattr(kind, name)(**options)([x, x])


def of_one(name: str, *arguments: Any, **options: Any) -> Any:
    return lambda kind: getattr(kind, name)(*arguments, **options)


LAYERS = {
    **{
        name: (of_two(name), ROWS)
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    },
    "Dot": (of_two("Dot", axes=1), ROWS),
    "Lambda": (of_one("Lambda", lambda x: x * 2.0), ROWS),
    "GaussianNoise": (of_one("GaussianNoise", 0.5), ROWS),
    "GaussianDropout": (of_one("GaussianDropout", 0.5), ROWS),
    "Dropout": (of_one("Dropout", 0.5), ROWS),
    "Softmax": (of_one("Softmax"), ROWS),
    "ReLU": (of_one("ReLU", max_value=6.0), ROWS),
    "Dense": (of_one("Dense", 2, kernel_initializer="ones"), ROWS),
    "LayerNormalization": (of_one("LayerNormalization"), ROWS),
    "BatchNormalization": (of_one("BatchNormalization"), IMAGES),
    "GlobalAveragePooling1D": (of_one("GlobalAveragePooling1D"), SEQUENCES),
    "GlobalMaxPooling1D": (of_one("GlobalMaxPooling1D"), SEQUENCES),
    "GlobalAveragePooling2D": (of_one("GlobalAveragePooling2D"), IMAGES),
    "AveragePooling2D": (of_one("AveragePooling2D", 2), IMAGES),
    "MaxPooling2D": (of_one("MaxPooling2D", 2), IMAGES),
    "ZeroPadding2D": (of_one("ZeroPadding2D"), IMAGES),
    "UpSampling2D": (of_one("UpSampling2D"), IMAGES),
    "Flatten": (of_one("Flatten"), IMAGES),
}


def data(shape: Any, dtype: str) -> Any:
    values = np.random.default_rng(0).integers(0, 256, shape)
    return (values > 127) if dtype == "bool" else values.astype(dtype)


def prediction(library: Any, kind: Any, name: str, dtype: str, declared: str | None, policy: Any) -> Any:
    make, shape = LAYERS[name]
    x = kind.Input(shape[1:], dtype=declared)
    layer = make(kind)
    return library.Model(x, layer(x)).predict(data(shape, dtype), verbose=0)


@functools.cache
def expected_prediction(name: str, dtype: str, declared: str | None, policy: str) -> Any:
    keras.config.set_dtype_policy(policy)
    try:
        return prediction(keras, keras.layers, name, dtype, declared, policy)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("declared", [None, "float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_models(backend: Any, name: str, declared: str | None) -> None:
    for dtype in DTYPES:
        expected = expected_prediction(name, dtype, declared, "float32")
        result = prediction(portanet, layers, name, dtype, declared, None)
        if declared != "float64":  # without a policy, layers without weights compute in float64
            assert result.dtype == expected.dtype, dtype
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-20, err_msg=dtype)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
@pytest.mark.parametrize("name", LAYERS)
def test_policies(name: str, policy: str) -> None:
    with portanet.use_backend("numpy"):
        try:
            portanet.mixed_precision.set_global_policy(policy)
            for dtype in ("uint8", "float32"):
                with np.errstate(over="ignore"):
                    result = prediction(portanet, layers, name, dtype, None, policy)
                expected = expected_prediction(name, dtype, None, policy)
                assert result.dtype == expected.dtype, dtype
                np.testing.assert_allclose(result, expected, rtol=2e-3, err_msg=dtype)
        finally:
            portanet.mixed_precision.set_global_policy(None)


REGRESSION = (
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "Huber",
    "LogCosh",
    "CosineSimilarity",
)
METRICS = (
    "MeanSquaredError",
    "RootMeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "CosineSimilarity",
    "R2Score",
)
BINARY = ("Precision", "Recall", "AUC", "BinaryAccuracy", "TruePositives", "FalsePositives")
Y_TRUE, Y_PRED = (RNG.integers(0, 256, (8, 3)) for _ in range(2))
WEIGHTS = RNG.random(8).astype("float32")


def floats(values: Any) -> Any:
    """What Keras is given: PyTorch has no losses of integers that wrap."""
    return keras.ops.convert_to_tensor(np.asarray(values, "float32"))


@pytest.mark.parametrize(
    "dtypes", [("uint8", "float32"), ("int64", "float32"), ("uint8", "uint8"), ("float64", "float32")]
)
@pytest.mark.parametrize("name", REGRESSION)
def test_losses(backend: Any, name: str, dtypes: Any) -> None:
    true, pred = (portanet.asarray(a, dtype) for a, dtype in zip((Y_TRUE, Y_PRED), dtypes, strict=True))
    for weight in (None, WEIGHTS):
        result = getattr(losses, name)()(true, pred, None if weight is None else portanet.asarray(weight))
        expected = getattr(keras.losses, name)()(floats(Y_TRUE), floats(Y_PRED), weight)
        assert float(result) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    "dtypes", [("uint8", "float32"), ("int64", "int32"), ("uint8", "uint8"), ("float64", "float32")]
)
@pytest.mark.parametrize("name", METRICS)
def test_metrics(backend: Any, name: str, dtypes: Any) -> None:
    true, pred = (portanet.asarray(a, dtype) for a, dtype in zip((Y_TRUE, Y_PRED), dtypes, strict=True))
    for weight in (None, WEIGHTS):
        ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
        ours.update_state(true, pred, None if weight is None else portanet.asarray(weight))
        theirs.update_state(floats(Y_TRUE), floats(Y_PRED), weight)
        np.testing.assert_allclose(ours.result(), keras.ops.convert_to_numpy(theirs.result()), rtol=1e-4)


@pytest.mark.parametrize("dtypes", [("uint8", "int32"), ("bool", "bool"), ("int64", "float32")])
@pytest.mark.parametrize("name", BINARY)
def test_metrics_of_classes(backend: Any, name: str, dtypes: Any) -> None:
    hosts = [Y_TRUE[:, 0] % 2, Y_PRED[:, 0] % 2]
    true, pred = (portanet.asarray(a.astype(dtype)) for a, dtype in zip(hosts, dtypes, strict=True))
    for weight in (None, WEIGHTS):
        ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
        ours.update_state(true, pred, None if weight is None else portanet.asarray(weight))
        theirs.update_state(floats(hosts[0]), floats(hosts[1]), weight)
        assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64"])
def test_fit(backend: Any, dtype: str) -> None:
    """Images and targets of integers, in training."""
    histories, x, y = [], data(SEQUENCES, dtype), data((4, 2), "uint8" if dtype == "uint8" else dtype)
    kernel = RNG.normal(size=(18, 2)).astype("float32")
    for library, kind, optimizer in (
        (portanet, layers, portanet.optimizers.SGD(1e-6)),
        (keras, keras.layers, keras.optimizers.SGD(1e-6)),
    ):
        model = library.Sequential([kind.Input((6, 3)), kind.Flatten(), kind.Dense(2)])
        model.set_weights([kernel, np.zeros(2, "float32")])
        model.compile(optimizer, "mse", metrics=["mae", "mse"])
        histories.append(model.fit(x, y, epochs=3, verbose=0).history)
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-4, err_msg=name)
