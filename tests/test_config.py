"""Settings: what they set, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import config, layers
from portanet.settings import settings


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in vars(settings).items():
        monkeypatch.setattr(settings, name, value)
    with portanet.use_backend("numpy"):
        yield


@pytest.mark.parametrize(
    ("set_it", "get", "values"),
    [
        (config.set_floatx, config.floatx, ["float64", "float16", "float32"]),
        (config.set_image_data_format, config.image_data_format, ["channels_first", "channels_last"]),
        (config.set_max_epochs, config.max_epochs, [1, 3, None]),
        (config.set_max_steps_per_epoch, config.max_steps_per_epoch, [1, 3, None]),
        (config.set_epsilon, config.epsilon, [1e-7]),
        (config.set_backend, config.backend, ["numpy"]),
    ],
)
def test_what_is_set_is_read(set_it: Callable[[Any], None], get: Callable[[], Any], values: list[Any]) -> None:
    for value in values:
        set_it(value)
        assert get() == value


@pytest.mark.parametrize(
    ("call", "argument", "bad"),
    [
        (config.set_floatx, "value", ["int32", "float", None, 32]),
        (config.set_image_data_format, "data_format", ["first", None, 1]),
        (config.set_max_epochs, "max_epochs", [0, -1, 1.5, True, "3"]),
        (config.set_max_steps_per_epoch, "max_steps_per_epoch", [0, -1, 1.5, True, "3"]),
        (config.set_epsilon, "value", [1e-6, 0, None]),
        (config.set_backend, "name", ["keras", None]),
    ],
)
def test_other_values_are_refused(call: Callable[[Any], None], argument: str, bad: list[Any]) -> None:
    for value in bad:
        with pytest.raises((TypeError, ValueError), match=rf"Argument `{argument}` .*Received: "):
            call(value)


def test_switches() -> None:
    config.disable_interactive_logging()
    assert not config.is_interactive_logging_enabled()
    config.enable_interactive_logging()
    assert config.is_interactive_logging_enabled()
    for switch in ("flash_attention", "traceback_filtering"):  # without effect
        for verb in ("enable", "disable"):
            getattr(config, f"{verb}_{switch}")()
        assert not getattr(config, f"is_{switch}_enabled")()
    assert config.is_nnx_enabled() is False


def test_the_format_of_images_is_that_of_new_layers() -> None:
    before = layers.GlobalAveragePooling2D()
    config.set_image_data_format("channels_first")
    x = np.ones((2, 3, 4, 5), dtype="float32")
    assert (before(x).shape, layers.GlobalAveragePooling2D()(x).shape) == ((2, 5), (2, 3))


def test_floatx_is_the_dtype_of_new_weights() -> None:
    config.set_floatx("float64")
    assert layers.Dense(2)(np.ones((1, 3))).dtype == np.float64
