"""The blocks of examples/architectures.py."""

import importlib.util
import pathlib

import numpy as np
import pytest

import portanet
from portanet import layers

PATH = pathlib.Path(__file__).parents[2] / "examples" / "architectures.py"
DIGITS = PATH.parents[2] / "shared" / "data" / "mnist"
SPEC = importlib.util.spec_from_file_location("architectures", PATH)
blocks = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(blocks)


@pytest.mark.parametrize(
    ("shape", "block", "expected"),
    [
        ((6,), lambda x: blocks.residual(x, 6), (None, 6)),
        ((6,), lambda x: blocks.pre_activation(x, 6), (None, 6)),
        ((6,), lambda x: blocks.highway(x, 6), (None, 6)),
        ((5, 5, 2), lambda x: blocks.dense_block(x, 3, 4), (None, 5, 5, 14)),
        ((5, 5, 2), lambda x: blocks.inception(x, 3), (None, 5, 5, 12)),
    ],
)
def test_blocks_train(backend, shape, block, expected):
    portanet.random.set_seed(0)
    x = layers.Input(shape)
    y = block(x)
    assert y.shape == expected
    model = portanet.Model(x, layers.Dense(1)(layers.Flatten()(y)))
    model.compile(portanet.optimizers.Adam(0.01), "mse")
    data = np.random.default_rng(0).standard_normal((32, *shape)).astype("float32")
    loss = model.fit(data, data.reshape(32, -1)[:, :1], epochs=4, batch_size=8, verbose=0).history["loss"]
    assert loss[-1] < loss[0]


def test_of_thirty_layers_those_with_shortcuts_learn():
    """Two classes on a line: without shortcuts, the gradient nearly vanishes behind 30 layers."""
    with portanet.use_backend("numpy"):
        x = np.random.default_rng(0).standard_normal((256, 784)).astype("float32")
        data = x, (x[:, 0] > 0).astype("int32")
        ways = {block: blocks.accuracy(block, 30, data, data, 6) for block in (blocks.plain, blocks.highway)}
    assert ways[blocks.highway] > 0.75
    assert ways[blocks.plain] < 0.65


@pytest.mark.skipif(not DIGITS.is_dir(), reason=f"MNIST's files are not in {DIGITS}")
def test_of_thirty_layers_those_with_shortcuts_learn_digits():
    with portanet.use_backend("numpy"):
        train, test = blocks.digits(DIGITS)
        result = {block: blocks.accuracy(block, 30, train, test) for block in (blocks.plain, blocks.highway)}
    assert result[blocks.plain] < 0.5
    assert result[blocks.highway] > 0.75
