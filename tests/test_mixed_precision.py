"""Dtype policies: dtypes of variables and computations, in layers and in a training run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, metrics, mixed_precision, models, optimizers
from portanet.autodiff import array_namespace, value_and_grad
from portanet.backends import Backend, use_backend
from portanet.mixed_precision import DTypePolicy
from portanet.variables import bind
from tests.support import asarray, assert_close, no_float64, to_numpy

HALF = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@pytest.fixture(params=HALF)
def policy(request: pytest.FixtureRequest, backend: Backend) -> Iterator[str]:
    """Each mixed policy in turn as the global policy, if the backend has its dtype."""
    if not hasattr(backend.xp, HALF[request.param]):
        pytest.skip(f"{backend.name} has no {HALF[request.param]}")
    mixed_precision.set_global_policy(request.param)
    try:
        yield request.param
    finally:
        mixed_precision.set_global_policy(None)


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("float16", "float16", "float16"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
    ],
)
def test_what_the_names_mean(name: str, compute: str, variable: str) -> None:
    policy = DTypePolicy(name)
    assert (policy.compute_dtype, policy.variable_dtype) == (compute, variable)
    assert DTypePolicy.from_config(policy.get_config()) == policy
    assert policy != DTypePolicy("float64" if name == "float32" else "float32")


@pytest.mark.parametrize("name", ["float8", "mixed_float32", "int32", 16, ["float32"]])
def test_unknown_names(name: Any) -> None:
    with pytest.raises(ValueError, match=r"'mixed_bfloat16'\. Received: "):
        DTypePolicy(name)
    with pytest.raises(ValueError, match="Received: "):
        layers.Dense(2, dtype=name)


def test_the_default_follows_the_backend(backend: Backend) -> None:
    assert mixed_precision.global_policy() == DTypePolicy("float32")
    with use_backend(backend.name, backend.device, "float64"):
        assert mixed_precision.global_policy().name == "float64"
        layer = layers.Dense(2)
        assert layer(asarray([[1.0]], "float32")).dtype == backend.find_dtype("float64")
    assert layer.dtype_policy.name == "float64"


def test_a_layer_casts_its_input(backend: Backend) -> None:
    """float64 data does not make a float32 layer compute in float64, nor vice versa."""
    x = asarray([[1.0, 2.0]], "float64")
    assert layers.Dense(2)(x).dtype == backend.find_dtype("float32")
    assert layers.Flatten(dtype="float32")(x).dtype == backend.find_dtype("float32")
    assert layers.Add(dtype="float64")([x, asarray([[1.0, 2.0]])]).dtype == backend.find_dtype("float64")
    layer = layers.Dense(2, dtype="float64")
    assert layer(asarray([[1.0, 2.0]])).dtype == layer.kernel.dtype == backend.find_dtype("float64")
    assert (layer.compute_dtype, layer.variable_dtype) == ("float64", "float64")


def test_a_training_run_in_single_precision_makes_no_double(backend: Backend) -> None:
    """Including data, masks, losses, metrics, penalties and optimizers; checked on array-api-strict."""
    generator = np.random.default_rng(0)
    x, y = asarray(generator.normal(size=(32, 4))), asarray(generator.integers(0, 3, 32))
    model = portanet.Sequential(
        [
            layers.Dense(8, activation="gelu", kernel_regularizer="l1_l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.GaussianNoise(0.1),
            layers.Dense(3, activation="softmax", kernel_constraint="max_norm"),
        ]
    )
    optimizer = optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=1.0, use_ema=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    with no_float64():
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_split=0.25, shuffle=False)
        if backend.name == "strict":
            with pytest.raises(AssertionError, match="an array of float64"):
                backend.xp.ones((2,), dtype=backend.xp.float64)


def test_a_mixed_layer(policy: str, backend: Backend) -> None:
    half, single = backend.find_dtype(HALF[policy]), backend.find_dtype("float32")
    layer = layers.Dense(3, kernel_regularizer="l2")
    x = asarray([[1.0, -2.0]])
    assert layer(x).dtype == half
    assert layer.kernel.dtype == layer.kernel.value.dtype == single
    variables = layer.named_variables()

    def loss(values: Any) -> Any:
        with bind({variables[path]: value for path, value in values.items()}):
            y = layer(x)
        assert y.dtype == half
        return array_namespace(y).sum(y)

    _, slopes = value_and_grad(loss)({path: v.value for path, v in variables.items()})
    assert {str(s.dtype).rpartition(".")[2] for s in slopes.values()} == {"float32"}
    np.testing.assert_array_equal(to_numpy(slopes["kernel"]), [[1.0] * 3, [-2.0] * 3])


def test_layers_keep_their_own_policy_inside_others(policy: str, backend: Backend) -> None:
    head = layers.Dense(2, dtype="float32")
    seen: dict[str, Any] = {}

    class Model(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = layers.Dense(4), head

        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight((), "ones", "factor")

        def call(self, x: Any) -> Any:
            seen["input"], seen["factor"] = x.dtype, self.factor.value.dtype
            seen["body"] = self.body(x).dtype
            return self.head(self.body(x))

    out = Model()(asarray([[1.0, 2.0]]))
    assert set(seen.values()) == {backend.find_dtype(HALF[policy])}
    assert out.dtype == backend.find_dtype("float32")


def test_a_policy_is_part_of_the_configuration(policy: str) -> None:
    layer = layers.LSTM(3) if policy == "mixed_float16" else layers.Dense(3)
    config = layer.get_config()
    assert config["dtype"]["config"]["name"] == policy
    mixed_precision.set_global_policy(None)
    assert type(layer).from_config(config).dtype_policy.name == policy
    assert layers.Dense.from_config(layers.Dense(3).get_config()).dtype_policy.name != policy


def test_weights_of_running_statistics_stay_single(policy: str, backend: Backend) -> None:
    layer = layers.BatchNormalization()
    x = asarray(np.full((8, 2), 300.0) + np.arange(8)[:, None] % 2 * 2)
    for _ in range(2):
        layer(x, training=True)
    assert layer.moving_mean.dtype == backend.find_dtype("float32")
    assert_close(layer.moving_mean.value, [0.0199 * 301.0] * 2, rtol=1e-4)  # half precision has 3 digits


def test_losses_and_metrics_compute_in_single(policy: str, backend: Backend) -> None:
    xp, half = backend.xp, backend.find_dtype(HALF[policy])
    logits = xp.astype(asarray([[10.0, -10.0], [3.0, 4.0]]), half)
    labels = asarray([1, 1], "int32")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    assert_close(loss, (20.0 + np.log1p(np.exp(-1.0))) / 2, rtol=1e-6)
    error = metrics.MeanSquaredError()
    error.update_state(asarray([[0.0]] * 5), xp.astype(asarray([[250.0]] * 5), half))
    assert error.result() == 62500.0  # the sum is beyond float16


def test_training_as_in_single_precision(policy: str, backend: Backend) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(64, 4)).astype("float32")
    y = (x[:, 0] > x[:, 1]).astype("int32")

    def curve() -> Any:
        portanet.random.set_seed(0)
        model = portanet.Sequential(
            [layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dense(2, dtype="float32")]
        )
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizers.Adam(0.02), loss, metrics=["accuracy"])
        history = model.fit(x, y, epochs=6, batch_size=16, verbose=0).history
        return model, history["loss"]

    model, result = curve()
    assert isinstance(model.optimizer, optimizers.LossScaleOptimizer) == (policy == "mixed_float16")
    assert all(v.dtype == backend.find_dtype("float32") for v in model.weights)
    mixed_precision.set_global_policy(None)
    twin, expected = curve()
    np.testing.assert_allclose(result, expected, rtol=0.02)
    assert not isinstance(twin.optimizer, optimizers.LossScaleOptimizer)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")  # NumPy's
def test_an_overflow_costs_a_step_and_training_recovers(backend: Backend) -> None:
    if not hasattr(backend.xp, "float16"):
        pytest.skip(f"{backend.name} has no float16")
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1, "linear", dtype="mixed_float16")])
    model.compile(optimizers.LossScaleOptimizer(optimizers.SGD(0.01), initial_scale=2.0**20), "mse")
    before = model.get_weights()[0]
    x, y = np.ones((4, 1)), np.full((4, 1), 50.0)
    model.train_on_batch(x, y)  # the scaled gradient is about -100 * 2**20, beyond float16
    np.testing.assert_array_equal(model.get_weights()[0], before)
    history = model.fit(x, y, epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    _, state = model.optimizer_state
    assert float(to_numpy(state["dynamic_scale"])) < 2.0**12
    assert model.predict(x).dtype == np.float16


def test_scaling_can_be_declined(backend: Backend) -> None:
    model = portanet.Sequential([layers.Dense(1, dtype="mixed_float16")])
    model.compile("sgd", "mse", auto_scale_loss=False)
    assert type(model.optimizer) is optimizers.SGD
    own = optimizers.LossScaleOptimizer("adam", initial_scale=4.0)
    model.compile(own, "mse")
    assert model.optimizer is own


def test_a_backend_without_the_dtype_says_which_have_it(backend: Backend) -> None:
    names = [name for name in ("float16", "bfloat16") if not hasattr(backend.xp, name)]
    for name in names:
        with pytest.raises(ValueError, match=f"Backend '{backend.name}' has no such dtype. Backends .*torch"):
            layers.Dense(2, dtype=f"mixed_{name}")(asarray([[1.0]]))
        with pytest.raises(ValueError, match=f"Backend '{backend.name}' has no such dtype.*Received: dtype='{name}'"):
            layers.Dense(2, dtype=name)(asarray([[1.0]]))
    if not names:
        assert layers.Dense(2, dtype="bfloat16")(asarray([[1.0]])).dtype == backend.find_dtype("bfloat16")


def test_moving_keeps_the_dtypes_asked_for(backend: Backend) -> None:
    plain, double = layers.Dense(2), layers.Dense(2, dtype="float64")
    for layer in (plain, double):
        layer.build((None, 1))
        layer.to("numpy")
    assert (plain.kernel.dtype, double.kernel.dtype) == ("float32", "float64")
    plain.to("numpy", dtype="float64")
    assert plain.kernel.dtype == "float64"


def test_a_map_of_policies() -> None:
    policies = mixed_precision.DTypePolicyMap("float32", {"inner/.*": DTypePolicy("float64")})
    policies["out"] = "float64"  # type: ignore[assignment]

    class Outer(layers.Layer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.dense = layers.Dense(2, name="dense", dtype=policies)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    with use_backend("numpy"):
        x = layers.Input((3,))
        inner, outer, out = Outer(name="inner"), Outer(name="other"), layers.Dense(2, name="out", dtype=policies)
        models.Model(x, out(outer(inner(x))))
        assert [each.kernel.dtype.name for each in (inner.dense, outer.dense, out)] == ["float64", "float32", "float64"]
        assert layers.Dense.from_config(out.get_config()).dtype_policy == DTypePolicy("float64")
    described = portanet.dtype_policies.serialize(policies)
    assert portanet.dtype_policies.deserialize(described) == policies
    assert policies != mixed_precision.DTypePolicyMap()
    assert (policies.name, policies.compute_dtype, len(policies)) == ("map_float32", "float32", 2)
    with pytest.raises(ValueError, match="has a policy already"):
        policies["out"] = DTypePolicy("float32")
    policies["inner/d.*"] = DTypePolicy("float32")
    with pytest.raises(ValueError, match="several keys"):
        policies["inner/dense"]
    del policies["inner/d.*"]
    assert "inner/d.*" not in policies
    with pytest.raises(ValueError, match="one policy"):
        mixed_precision.DTypePolicyMap(policies)
    with pytest.raises(ValueError, match="a path or a regular expression"):
        policies["("] = DTypePolicy("float32")
    with pytest.raises(TypeError, match="a dict of policies"):
        mixed_precision.DTypePolicyMap("float32", ["float64"])  # type: ignore[arg-type]
