"""Models without an `Input`, whose first layer declares it by `input_shape` or `input_dim`, as in Keras 2."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

SHAPES: list[tuple[Any, dict[str, Any], tuple[int | None, ...], tuple[int | None, ...]]] = [
    (lambda **o: layers.Dense(3, **o), {"input_shape": (4,)}, (None, 4), (None, 3)),
    (lambda **o: layers.Dense(3, **o), {"input_dim": 4}, (None, 4), (None, 3)),
    (lambda **o: layers.Conv2D(2, 3, **o), {"input_shape": (8, 8, 1)}, (None, 8, 8, 1), (None, 6, 6, 2)),
    (lambda **o: layers.SimpleRNN(3, **o), {"input_shape": (None, 4)}, (None, None, 4), (None, 3)),
    (lambda **o: layers.LSTM(3, **o), {"input_shape": (5, 4)}, (None, 5, 4), (None, 3)),
    (lambda **o: layers.GRU(3, **o), {"input_shape": (5, 4)}, (None, 5, 4), (None, 3)),
    (lambda **o: layers.ConvLSTM1D(3, 2, **o), {"input_shape": (5, 4, 1)}, (None, 5, 4, 1), (None, 3, 3)),
    (lambda **o: layers.Bidirectional(layers.LSTM(3), **o), {"input_shape": (5, 4)}, (None, 5, 4), (None, 6)),
    (lambda **o: layers.InputLayer(**o), {"input_shape": (4,)}, (None, 4), (None, 4)),
]


@pytest.mark.parametrize(("make", "options", "inputs", "outputs"), SHAPES)
def test_the_model_is_built_and_the_warning_has_the_remedy(make: Any, options: Any, inputs: Any, outputs: Any) -> None:
    with portanet.use_backend("numpy"):
        with pytest.warns(UserWarning, match=rf"`{next(iter(options))}`.*portanet\.Input\(\({inputs[1]}") as caught:
            layer = make(**options)
        assert [str(w.filename) for w in caught] == [__file__]
        model = portanet.Sequential([layer])
        assert (model.input_shape, model.output_shape) == (inputs, outputs)


def test_the_length_of_an_embedding_has_no_effect() -> None:
    with portanet.use_backend("numpy"):
        with pytest.warns(UserWarning, match=r"`input_length` of Embedding has no effect; leave it out"):
            layer = layers.Embedding(10, 3, input_length=5)
        assert layer(np.zeros((2, 7), dtype="int32")).shape == (2, 7, 3)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"'first' takes `input_shape` or `input_dim`, not both"):
        layers.Dense(3, input_shape=(4,), input_dim=4, name="first")
    with pytest.raises(ValueError, match=r"`input_shape` of layer 'first' must be a tuple.*Received: input_shape=4"):
        layers.Dense(3, input_shape=4, name="first")
    with pytest.raises(ValueError, match=r"`input_dim` of layer 'first'.*Received: input_dim=0"):
        layers.LSTM(3, input_dim=0, name="first")


def test_a_model_that_is_built_declares_the_input() -> None:
    with portanet.use_backend("numpy"):
        inner = portanet.Sequential([layers.Input((4,), batch_size=2, dtype="int32"), layers.Embedding(5, 3)])
        model = portanet.Sequential([inner, layers.Flatten(), layers.Dense(1)])
        assert model.built
        assert (model.input_shape, model.output_shape) == ((2, 4), (2, 1))
        assert model.inputs[0].dtype == "int32"
        made = portanet.Sequential.from_config(model.get_config())
        assert made.output_shape == (2, 1)
        start = layers.Input((4,))
        graph = portanet.Model(start, layers.Dense(3)(start))
        assert portanet.Sequential([graph, layers.Dense(2)]).count_params() == 15 + 8
        assert not portanet.Sequential([portanet.Sequential([layers.Dense(3)]), layers.Dense(2)]).built
        two = portanet.Model([start, layers.Input((2,))], start)
        assert not portanet.Sequential([two, layers.Dense(2)]).built
