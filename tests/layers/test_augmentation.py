from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import portanet
from portanet import layers
from portanet.backends import get_backend, use_backend
from portanet.variables import bind
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, to_numpy

LAYERS = {
    "flip": lambda **o: layers.RandomFlip(seed=1, **o),
    "crop": lambda **o: layers.RandomCrop(3, 2, seed=1, **o),
    "translation": lambda **o: layers.RandomTranslation(0.3, (-0.1, 0.6), seed=1, **o),
    "translation, constant": lambda **o: layers.RandomTranslation(0.9, 0.9, "constant", seed=1, fill_value=2.0, **o),
    "rotation": lambda **o: layers.RandomRotation(0.4, seed=1, **o),
    "rotation, nearest": lambda **o: layers.RandomRotation(0.1, "nearest", interpolation="nearest", seed=1, **o),
    "rotation, wrap": lambda **o: layers.RandomRotation(0.4, "wrap", seed=1, **o),
    "shear": lambda **o: layers.RandomShear(0.4, (0.1, 0.5), seed=1, **o),
    "perspective": lambda **o: layers.RandomPerspective((1.0, 1.0), 0.6, seed=1, **o),
    "elastic": lambda **o: layers.RandomElasticTransform((1.0, 1.0), (0.8, 1.0), value_range=(-9, 9), seed=1, **o),
}

SCIPY = {"reflect": "reflect", "nearest": "nearest", "wrap": "grid-wrap", "constant": "grid-constant"}


def images(batch: int = 3, height: int = 5, width: int = 4, channels: int = 2) -> Any:
    return np.random.default_rng(0).standard_normal((batch, height, width, channels))


@pytest.mark.parametrize("name", LAYERS)
def test_layer(backend: Any, name: str) -> None:
    """In training mode: results equal to NumPy's, derivatives, shapes."""
    shape = (3, 3, 2, 2) if name == "crop" else (3, 5, 4, 2)
    check_layer(LAYERS[name], (3, 5, 4, 2), shape, {}, training=True, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_channels_first(backend: Any, name: str) -> None:
    host = images()
    portanet.random.set_seed(3)
    last = to_numpy(LAYERS[name]()(asarray(host), training=True))
    portanet.random.set_seed(3)
    layer = LAYERS[name](data_format="channels_first")
    first = to_numpy(layer(asarray(np.moveaxis(host, 3, 1)), training=True))
    assert first.shape == layer.compute_output_shape((3, 2, 5, 4))
    np.testing.assert_array_equal(np.moveaxis(first, 1, 3), last)


@pytest.mark.parametrize("name", LAYERS)
def test_each_example_and_each_call_is_drawn_anew(backend: Any, name: str) -> None:
    host = np.broadcast_to(images(1), (12, 5, 4, 2))
    layer = LAYERS[name]()
    first, second = (to_numpy(layer(asarray(host), training=True)) for _ in range(2))
    assert len({example.tobytes() for example in first}) > 2
    assert (first != second).any()


@pytest.mark.parametrize("name", LAYERS)
def test_still_at_inference(backend: Any, name: str) -> None:
    host = images()
    expected = host[:, 1:4, 1:3] if name == "crop" else host
    layer = LAYERS[name]()
    assert_close(layer(asarray(host), training=False), expected)
    assert int(to_numpy(layer.counter.value)) == 0


@pytest.mark.parametrize("name", LAYERS)
def test_compiled(backend: Any, name: str) -> None:
    """The same in a compiled function, where counters are arguments."""
    host = images()
    layer = LAYERS[name]()
    layer.build(host.shape)

    def step(x: Any, counter: Any) -> Any:
        with bind({layer.counter: counter}) as bound:
            out = layer(x, training=True)
        return out, bound[layer.counter]

    counter = layer.counter.value
    out, after = get_backend().compile(step)(asarray(host), counter)
    assert int(to_numpy(after)) > 0
    np.testing.assert_allclose(to_numpy(out), to_numpy(layer(asarray(host), training=True)), rtol=1e-4, atol=1e-4)


def test_flips(backend: Any) -> None:
    host = images(64)
    for mode, choices in (
        ("horizontal", [host, host[:, :, ::-1]]),
        ("vertical", [host, host[:, ::-1]]),
        ("horizontal_and_vertical", [host, host[:, ::-1], host[:, :, ::-1], host[:, ::-1, ::-1]]),
    ):
        out = to_numpy(layers.RandomFlip(mode, seed=2)(asarray(host), training=True))
        same = np.asarray(
            [[np.array_equal(a, b.astype(a.dtype)) for a, b in zip(out, c, strict=True)] for c in choices]
        )
        assert (same.sum(axis=0) == 1).all()
        assert same.mean(axis=1) == pytest.approx(1 / len(choices), abs=0.2)


def test_crops_are_windows_from_everywhere(backend: Any) -> None:
    host = np.broadcast_to(np.arange(20.0).reshape(1, 5, 4, 1), (200, 5, 4, 1))
    out = to_numpy(layers.RandomCrop(3, 2, seed=2)(asarray(host), training=True))
    places = {int(example[0, 0, 0]) for example in out}
    assert places == {row * 4 + column for row in range(3) for column in range(3)}
    for example in out[:20]:
        row, column = divmod(int(example[0, 0, 0]), 4)
        np.testing.assert_array_equal(example[..., 0], host[0, row : row + 3, column : column + 2, 0])


@pytest.mark.parametrize("mode", SCIPY)
@pytest.mark.parametrize("angle", [-0.3, 0.1, 0.25, 0.5])
def test_rotation_against_scipy(backend: Any, mode: str, angle: float) -> None:
    host = images(1, 5, 4, 1)
    layer = layers.RandomRotation((angle, angle), mode, fill_value=1.5)
    out = to_numpy(layer(asarray(host), training=True))[0, :, :, 0]
    expected = ndimage.rotate(
        host[0, :, :, 0], 360 * angle, reshape=False, order=1, mode=SCIPY[mode], cval=1.5, prefilter=False
    )
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", SCIPY)
def test_translation_against_scipy(backend: Any, mode: str) -> None:
    host = images(1, 5, 4, 1)
    layer = layers.RandomTranslation((0.33, 0.33), (-0.8, -0.8), mode, fill_value=1.5)
    out = to_numpy(layer(asarray(host), training=True))[0, :, :, 0]
    expected = ndimage.shift(
        host[0, :, :, 0], (0.33 * 5, -0.8 * 4), order=1, mode=SCIPY[mode], cval=1.5, prefilter=False
    )
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_a_quarter_turn_is_counter_clockwise(backend: Any) -> None:
    host = images(2, 4, 4, 1)
    out = layers.RandomRotation((0.25, 0.25))(asarray(host), training=True)
    np.testing.assert_allclose(to_numpy(out), np.rot90(host, axes=(1, 2)), rtol=1e-4, atol=1e-5)


def test_integers_become_floats(backend: Any) -> None:
    x = asarray(np.arange(16, dtype="int32").reshape(1, 4, 4, 1))
    assert_close(layers.RandomFlip()(x, training=False), np.arange(16.0).reshape(1, 4, 4, 1), dtype="float32")


def test_training_with_augmentation(backend: Any) -> None:
    model = portanet.Sequential(
        [layers.Input((5, 4, 2)), *(make() for make in LAYERS.values()), layers.Flatten(), layers.Dense(1)]
    )
    model.compile(portanet.optimizers.SGD(0.01), "mse")
    history = model.fit(images(8).astype("float32"), np.ones((8, 1), dtype="float32"), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_the_same_draws_in_every_dtype() -> None:
    host = images()
    with use_backend("numpy"):
        outs = []
        for dtype in ("float32", "float64"):
            portanet.random.set_seed(4)
            outs.append(layers.RandomRotation(0.4)(host.astype(dtype), training=True))
    assert [out.dtype for out in outs] == ["float32", "float64"]
    np.testing.assert_allclose(outs[0], outs[1], atol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomFlip("sideways"), r"`mode` of layer 'random_flip' must be one of .*: mode='sideways'"),
        (lambda: layers.RandomCrop(0, 2), r"`height` of layer 'random_crop' .* Received: height=0"),
        (lambda: layers.RandomTranslation(1.5, 0), r"`height_factor` of layer 'random_translation' must be a number"),
        (lambda: layers.RandomRotation("left"), r"`factor` of layer 'random_rotation' must be a finite number."),
        (lambda: layers.RandomRotation(0.1, "mirror"), r"`fill_mode` .* Received: fill_mode='mirror'"),
        (lambda: layers.RandomRotation(0.1, interpolation="cubic"), r"`interpolation` .*interpolation='cubic'"),
        (lambda: layers.RandomFlip(data_format="last"), r"`data_format` .* Received: data_format='last'"),
        (lambda: layers.RandomFlip()(np.ones((3, 4))), r"height, width, channels\). Received: shape \(3, 4\)"),
        (lambda: layers.RandomFlip()({"labels": np.ones(3)}), r"'images' .* Received: keys \['labels'\]"),
    ],
)
def test_bad_input(make: Any, message: str) -> None:
    with use_backend("numpy"), pytest.raises(ValueError, match=message):
        make()
