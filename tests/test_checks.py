"""Arguments: accepted types, the one form of errors, and NumPy's integers wherever an integer is expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, checks, constraints, initializers, layers, metrics, optimizers, schedules
from portanet.autodiff import array_namespace
from portanet.fused.windows import window
from portanet.preprocessing import PolynomialFeatures, Tokenizer, k_means, train_test_split
from portanet.utils import pad_sequences, to_categorical

NO_NUMBERS: list[Any] = [True, np.True_, None, "3", 1j, [1], np.ones(1), np.asarray(1)]
INTEGERS: list[Any] = [3, np.int64(3), np.int32(3), np.uint8(3)]


@pytest.mark.parametrize(
    ("of", "owner"),
    [("", ""), ("minimize", " of minimize"), (dict, " of dict"), (SimpleNamespace(name="d"), " of layer 'd'")],
)
def test_the_form_of_errors(of: Any, owner: str) -> None:
    error = checks.invalid("units", [1], "a positive integer", of)
    assert str(error) == f"Argument `units`{owner} must be a positive integer. Received: units=[1]"


@pytest.mark.parametrize("value", INTEGERS)
def test_integers_become_pythons(value: Any) -> None:
    for result in (
        checks.integer("n", value),
        checks.integer("n", value, least=3),
        checks.positive_int("n", value),
        *checks.integers("n", [value, value], 2),
        *checks.integers("n", value),
        *checks.pairs("n", value, 2)[1],
        *checks.pairs("n", [(value, value)], 1)[0],
    ):
        assert type(result) is int
        assert result == 3


def test_other_values_become_pythons() -> None:
    for value, of_python in ((True, 1), (np.True_, 1), (False, 0), (np.int64(2), 2), (0, 0)):
        result = checks.verbose(value)
        assert (type(result), result) == (int, of_python)
    for value in (True, np.True_):
        assert checks.boolean("n", value) is True
    for value in (0.5, np.float32(0.5), np.float64(0.5)):
        for result in (
            checks.number("n", value), checks.positive("n", value), checks.non_negative("n", value),
            checks.rate("n", value), *checks.numbers("n", [value, value], count=2),
        ):  # fmt: skip
            assert (type(result), result) == (float, 0.5)
    for value in (1, np.int32(1)):
        results = (*checks.axes("n", value, 2), *checks.axes("n", [value], 2), checks.axis("n", value, 2))
        assert [type(result) for result in (*results, *checks.sizes("n", [value]))] == [int] * 4


@pytest.mark.parametrize("value", [*NO_NUMBERS, 2.5, 3.0, np.float32(3), math.nan, math.inf])
def test_what_is_no_integer(value: Any) -> None:
    received = re.escape(f"Received: n={value!r}")
    with pytest.raises(ValueError, match=rf"^Argument `n` of f must be an integer\. {received}$"):
        checks.integer("n", value, "f")
    with pytest.raises(ValueError, match=rf"^Argument `n` of f must be a positive integer\. {received}$"):
        checks.positive_int("n", value, "f")
    with pytest.raises(ValueError, match=r"^Argument `n` of f must be an integer, or 2 of them\. Received: n=\["):
        checks.integers("n", [1, value], 2, "f")
    with pytest.raises(
        ValueError, match=r"^Argument `n` of f must be an integer, or for each of 2 axes an integer or "
    ):
        checks.pairs("n", [1, (1, value)], 2, "f")


@pytest.mark.parametrize(
    ("least", "value", "expected"),
    [(0, -1, "a non-negative integer"), (1, 0, "a positive integer"), (2, np.int64(1), "an integer of at least 2")],
)
def test_integers_too_small(least: int, value: Any, expected: str) -> None:
    for given in (value, [value]):
        with pytest.raises(ValueError, match=rf"^Argument `n` must be {expected}\. Received: n="):
            checks.integers("n", given, 1, least=least)
    with pytest.raises(ValueError, match=rf"^Argument `n` must be {expected}\. Received: n="):
        checks.integer("n", value, least=least)


@pytest.mark.parametrize(("value", "count"), [([], None), ([], 2), ([1], 2), ((1, 2, 3), 2), ("12", 2), ({1, 2}, 2)])
def test_lists_of_another_length(value: Any, count: int | None) -> None:
    with pytest.raises(ValueError, match=rf"an integer, or {count or 'several'} of them\. Received: n="):
        checks.integers("n", value, count)


@pytest.mark.parametrize(("value", "count"), [(-1, 1), ([1], 2), ([(1, 2, 3), 1], 2), ([[1], 1], 2), ((1, -1), 1)])
def test_bad_pairs(value: Any, count: int) -> None:
    with pytest.raises(ValueError, match=rf"for each of {count} axes an integer or a pair \(before, after\), none neg"):
        checks.pairs("n", value, count)


@pytest.mark.parametrize("value", [*INTEGERS, 3.0, np.float32(3), np.float64(3)])
def test_numbers_become_pythons(value: Any) -> None:
    for result in (checks.number("x", value), checks.positive("x", value), checks.non_negative("x", value)):
        assert type(result) is float
        assert result == 3.0
    assert checks.number("x", value, "[3, 3]") == 3.0


@pytest.mark.parametrize("value", [*NO_NUMBERS, math.nan, math.inf, -math.inf, np.float32("nan")])
def test_what_is_no_number(value: Any) -> None:
    received = re.escape(f"Received: x={value!r}")
    for check, expected in (
        (checks.number, "a finite number"),
        (checks.positive, "a positive number"),
        (checks.non_negative, "a non-negative number"),
        (checks.rate, r"a number in \[0, 1\)"),
    ):
        with pytest.raises(ValueError, match=rf"^Argument `x` of f must be {expected}\. {received}$"):
            check("x", value, of="f")


@pytest.mark.parametrize(
    ("within", "inside", "outside"),
    [
        ("[0, 1)", [0, -0.0, 0.5], [1, -1e-9]),
        ("(0, 1]", [1e-9, 1], [0, 1.0000001]),
        ("(-inf, 0]", [-1e300, 0], [1e-300, -math.inf]),
        ("[0, inf]", [0, math.inf], [-1, math.nan]),
        ("(0, inf)", [1e-300], [0, -0.0, math.inf]),
    ],
)
def test_intervals(within: str, inside: list[float], outside: list[float]) -> None:
    for value in inside:
        assert checks.number("x", value, within) == value
    for value in outside:
        with pytest.raises(ValueError, match=r"^Argument `x` must be a .*number"):
            checks.number("x", value, within)


def test_choices() -> None:
    assert checks.choice("mode", "max", ("min", "max")) == "max"
    assert type(checks.choice("mode", np.str_("max"), ("min", "max"))) is str
    assert checks.choice("mode", None, ("min", None)) is None
    assert checks.choice("mode", "min", {"min": 1}) == "min"
    for value in ("avg", None, 1, True, ["min"], np.asarray(["min", "max"])):
        with pytest.raises(ValueError, match=r"^Argument `mode` of f must be one of 'min', 'max'\. Received: mode="):
            checks.choice("mode", value, ("min", "max"), "f")


def test_data_formats() -> None:
    layer = SimpleNamespace(name="conv")
    assert checks.data_format(None, layer) == "channels_last"
    assert checks.data_format("channels_first", layer) == "channels_first"
    with pytest.raises(ValueError, match="`data_format` of layer 'conv' must be one of 'channels_last', 'channels_f"):
        checks.data_format("last", layer)


# Every package


def fitted(**options: Any) -> Any:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0, **options)


TAKERS: dict[str, Callable[[Any], Any]] = {
    "units": layers.Dense,
    "filters": lambda n: layers.Conv2D(n, 3),
    "kernel_size": lambda n: layers.Conv2D(3, n),
    "kernel_size of an axis": lambda n: layers.Conv2D(3, (2, n)),
    "padding": lambda n: layers.Conv2D(3, 5, padding=n),
    "padding of a side": lambda n: layers.ZeroPadding2D(((0, n), 1)),
    "pool_size": layers.MaxPooling2D,
    "output_size": layers.AdaptiveAveragePooling1D,
    "size": layers.UpSampling1D,
    "input_dim": lambda n: layers.Embedding(n, 3),
    "output_dim": lambda n: layers.Embedding(3, n),
    "rnn units": layers.LSTM,
    "projection_units": lambda n: layers.LSTM(3, projection_units=n),
    "truncate_gradient": lambda n: layers.GRU(3, truncate_gradient=n),
    "num_heads": lambda n: layers.MultiHeadAttention(n, 3),
    "key_dim": lambda n: layers.MultiHeadAttention(3, n),
    "intermediate_dim": lambda n: layers.TransformerEncoder(n, 3),
    "sequence_length": layers.PositionEmbedding,
    "noise_shape": lambda n: layers.Dropout(0.5, (None, n)),
    "layer's seed": lambda n: layers.Dropout(0.5, seed=n),
    "shape": lambda n: layers.Input((n,)),
    "batch_size of Input": lambda n: layers.Input((3,), batch_size=n),
    "axis": lambda n: layers.BatchNormalization(axis=n),
    "axes": lambda n: layers.LayerNormalization(axis=[1, n]),
    "groups": lambda n: layers.GroupNormalization(groups=n),
    "n": layers.RepeatVector,
    "target_shape": lambda n: layers.Reshape((n, 1)),
    "dims": lambda n: layers.Permute((1, 2, n)),
    "height": lambda n: layers.RandomCrop(n, 3),
    "strides of a window": lambda n: window((9, 9), (3, 3), n, "valid"),
    "seed of an initializer": lambda n: initializers.HeNormal(seed=n),
    "axis of a constraint": lambda n: constraints.MaxNorm(axis=n),
    "k": metrics.TopKCategoricalAccuracy,
    "num_thresholds": metrics.AUC,
    "num_classes": metrics.ConfusionMatrix,
    "class_id": lambda n: metrics.Precision(class_id=n),
    "gradient_accumulation_steps": lambda n: optimizers.Adam(gradient_accumulation_steps=n),
    "ema_overwrite_frequency": lambda n: optimizers.SGD(use_ema=True, ema_overwrite_frequency=n),
    "sync_period": lambda n: optimizers.Lookahead("sgd", sync_period=n),
    "decay_steps": lambda n: schedules.CosineDecay(0.1, n),
    "patience of a schedule": lambda n: schedules.ReduceOnPlateau(patience=n),
    "patience": lambda n: callbacks.EarlyStopping(patience=n),
    "save_freq": lambda n: callbacks.ModelCheckpoint("m", save_freq=n),
    "keep": lambda n: callbacks.ModelCheckpoint("m", keep=n),
    "update_freq": lambda n: callbacks.TensorBoard("logs", update_freq=n),
    "epochs": lambda n: fitted(epochs=n),
    "initial_epoch": lambda n: fitted(initial_epoch=n, epochs=4),
    "batch_size": lambda n: fitted(batch_size=n),
    "steps_per_epoch": lambda n: fitted(batch_size=1, steps_per_epoch=n),
    "prefetch": lambda n: fitted(prefetch=n),
    "validation_batch_size": lambda n: fitted(validation_split=0.5, validation_batch_size=n),
    "validation_steps": lambda n: fitted(validation_split=0.5, validation_steps=n, validation_batch_size=1),
    "validation_freq": lambda n: fitted(validation_split=0.5, validation_freq=n),
    "num_words": Tokenizer,
    "degree": PolynomialFeatures,
    "clusters": lambda n: k_means(np.eye(4), n, seed=0),
    "test_size": lambda n: train_test_split(np.ones(8), test_size=n, seed=0),
    "maxlen": lambda n: pad_sequences([[1, 2]], maxlen=n),
    "num_classes of to_categorical": lambda n: to_categorical([0, 1], n),
    "seed": portanet.random.set_seed,
}


@pytest.mark.parametrize("name", TAKERS)
def test_numpys_integers_are_taken(name: str) -> None:
    with portanet.random.use_seed(0):
        for value in (3, np.int64(3), np.uint8(3)):
            TAKERS[name](value)


@pytest.mark.parametrize("name", TAKERS)
@pytest.mark.parametrize("value", [True, np.True_, 1.5, "3"])
def test_booleans_are_not_integers(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^Argument `\w+`.* must be .*\. Received: "):
        TAKERS[name](value)


def test_layers_keep_pythons_integers() -> None:
    layer = layers.Conv2D(np.int64(2), np.int64(3), strides=(np.int32(1), 2), padding=np.uint8(1))
    result = [layer.filters, *layer.kernel_size, *layer.strides, *layer.padding[0]]
    assert [type(n) for n in result] == [int] * len(result)
    assert layers.Conv2D(np.int64(2), np.int64(3))(np.ones((1, 5, 5, 1), "float32")).shape == (1, 3, 3, 2)
    assert type(layers.Dropout(np.float32(0.5)).rate) is float


def test_numpys_numbers_are_saved(tmp_path: Any) -> None:
    model = portanet.Sequential(
        [
            layers.Input((np.int64(4), 4, 1)),
            layers.Conv2D(np.int64(2), (np.int64(3), 3)),
            layers.Dropout(np.float32(0.5)),
        ]
    )
    model.compile(optimizers.SGD(np.float32(0.5), gradient_accumulation_steps=np.int64(2)), "mse")
    portanet.saving.save_model(model, tmp_path / "m")
    loaded = portanet.saving.load_model(tmp_path / "m")
    assert loaded.layers[0].get_config()["kernel_size"] == (3, 3)
    assert loaded.optimizer.gradient_accumulation_steps == 2
    assert loaded.optimizer.learning_rate == 0.5
    words = Tokenizer(np.int64(2))
    words.fit_on_texts(["a b b"])
    assert Tokenizer.from_json(words.to_json()).num_words == 2


def test_argnums() -> None:
    f = lambda x, y: x * y
    assert float(portanet.autodiff.grad(f, np.int64(1))(np.asarray(2.0), np.asarray(3.0))) == 2.0
    slopes = portanet.autodiff.grad(f, (np.int64(1), 0))(np.asarray(2.0), np.asarray(3.0))
    assert [float(s) for s in slopes] == [2.0, 3.0]


def test_a_value_among_several_arguments_is_named_by_them() -> None:
    with pytest.raises(TypeError, match=r"Argument `arrays` of array_namespace must be an array .*Received: 2\.0"):
        array_namespace(2.0, 3.0)
