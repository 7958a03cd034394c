"""What docs/coming-from says of other libraries is so: their code runs, and their results are those that it gives.

The examples for portanet are doctests; those for the other library are the blocks without prompts.
"""

from __future__ import annotations

import math
import pathlib
import re
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

FOLDER = pathlib.Path(__file__).parent.parent.parent / "docs" / "coming-from"
pytestmark = [
    pytest.mark.usefixtures("_numpy"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),  # Keras's
]


@pytest.fixture
def _numpy() -> Any:
    with portanet.use_backend("numpy"):
        yield


def blocks(page: str) -> list[str]:
    """The code for the other library."""
    text = (FOLDER / page).read_text()
    return [code for code in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if ">>>" not in code]


def run(page: str, **names: Any) -> dict[str, Any]:
    for code in blocks(page):
        exec(code, names)
    return names


def test_the_code_for_pytorch_runs() -> None:
    pytest.importorskip("torch")
    found = run("pytorch.md", np=np, portanet=portanet, layers=layers)
    assert len(blocks("pytorch.md")) == 3
    assert found["loss"].item() < 2e-3
    assert found["unbiased"] == 2.0
    assert found["difference"] < 1e-6


def test_what_is_said_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    assert (nn.BatchNorm1d(1).momentum, nn.BatchNorm1d(1).eps, nn.LayerNorm(1).eps) == (0.1, 1e-5, 1e-5)
    norm = layers.BatchNormalization()
    assert (norm.momentum, norm.epsilon, layers.LayerNormalization().epsilon) == (0.99, 1e-3, 1e-3)
    parameters = [nn.Parameter(torch.ones(1))]
    rms, ada = torch.optim.RMSprop(parameters).defaults, torch.optim.Adagrad(parameters).defaults
    assert (rms["alpha"], rms["lr"], ada["initial_accumulator_value"]) == (0.99, 0.01, 0)
    ours = portanet.optimizers.RMSprop()
    assert (ours.rho, float(ours.learning_rate)) == (0.9, 0.001)
    assert portanet.optimizers.Adagrad().initial_accumulator_value == 0.1
    assert (torch.optim.Adam(parameters).defaults["eps"], portanet.optimizers.Adam().epsilon) == (1e-8, 1e-7)
    wrong, right = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    assert nn.BCELoss()(torch.asarray(wrong), torch.asarray(right)).item() == 100
    assert float(portanet.losses.BinaryCrossentropy()(right, wrong)) == pytest.approx(16.1, abs=0.02)
    assert (nn.LeakyReLU().negative_slope, layers.LeakyReLU().negative_slope) == (0.01, 0.3)


def test_weights_of_classes_with_mean_1_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    logits = np.asarray([[1.0, 2.0], [3.0, 1.0], [0.0, 0.0]], np.float32)
    labels, weights = np.asarray([0, 1, 1]), np.asarray([1.0, 4.0], np.float32)
    theirs = torch.nn.CrossEntropyLoss(weight=torch.asarray(weights))(torch.asarray(logits), torch.asarray(labels))
    loss, each = portanet.losses.SparseCategoricalCrossentropy(from_logits=True), weights[labels]
    assert float(loss(labels, logits, sample_weight=each / each.mean())) == pytest.approx(theirs.item(), rel=1e-6)
    assert float(loss(labels, logits, sample_weight=each)) == pytest.approx(theirs.item() * each.mean(), rel=1e-6)


def test_the_weight_decay_of_pytorch_is_half_of_it_as_a_penalty() -> None:
    torch = pytest.importorskip("torch")
    linear = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(linear.weight)
    optimizer = torch.optim.SGD(linear.parameters(), 0.1, weight_decay=0.1)
    torch.nn.functional.mse_loss(linear(torch.ones(4, 2)), torch.zeros(4, 1)).backward()
    optimizer.step()
    penalty = portanet.regularizers.L2(0.1 / 2)
    dense = layers.Dense(1, use_bias=False, kernel_initializer="ones", kernel_regularizer=penalty)
    model = portanet.Sequential([layers.Input((2,)), dense])
    model.compile(portanet.optimizers.SGD(0.1), "mse")
    model.fit(np.ones((4, 2)), np.zeros((4, 1)), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0].T, linear.weight.detach().numpy(), rtol=1e-6)


def test_initial_weights_like_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    scaled = portanet.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    dense = layers.Dense(4000, kernel_initializer=scaled)
    dense.build((None, 16))
    for values in (dense.get_weights()[0], torch.nn.Linear(16, 4000).weight.detach().numpy()):
        assert np.abs(values).max() == pytest.approx(0.25, rel=1e-3)


def test_the_code_for_keras_runs() -> None:
    pytest.importorskip("keras")
    numbers = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    found = run("keras.md", numbers=numbers, totals=2 * numbers.sum(axis=1, keepdims=True))
    printed = str([round(float(value), 3) for value in found["squares"]])
    assert printed in (FOLDER / "keras.md").read_text()


def test_what_is_said_of_keras() -> None:
    keras = pytest.importorskip("keras")
    x, y = np.ones((8, 3), np.float32), np.zeros((8, 1), np.float32)

    def network() -> Any:
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        return model

    assert math.isfinite(network().fit(x, np.ones((8, 2)), verbose=0).history["loss"][0])  # broadcasts
    assert math.isnan(network().fit(x * np.nan, y, verbose=0).history["loss"][0])
    first, second = network(), network()
    assert first.weights[0].path != second.weights[0].path
    first.fit(x, y, verbose=0)
    second.compile(first.optimizer, "mse")
    with pytest.raises(ValueError, match="Unknown variable"):
        second.fit(x, y, verbose=0)
    with pytest.warns(UserWarning, match="Do not pass an `input_shape`/`input_dim`"):
        keras.layers.Dense(3, input_dim=4)


@pytest.mark.parametrize("name", ["keras", "portanet"])
def test_rows_are_divided_by_their_sums_and_variances_are_biased(name: str) -> None:
    library = pytest.importorskip(name)
    row, label = np.asarray([[0.2, 0.2, 0.4]], np.float32), np.asarray([2])
    loss = library.losses.SparseCategoricalCrossentropy()(label, row)
    assert float(loss) == pytest.approx(np.log(2), rel=1e-6)
    norm = library.layers.BatchNormalization(momentum=0.0)
    norm(library.ops.convert_to_tensor(np.asarray([[0.0], [2.0]], np.float32)), training=True)
    assert norm.get_weights()[3][0] == 1.0


def test_the_code_for_scikit_learn_runs() -> None:
    pytest.importorskip("sklearn")
    assert run("scikit-learn.md")["score"] > 0.95


def test_the_penalty_of_scikit_learn_is_divided_by_the_size_of_the_batch() -> None:
    neural_network = pytest.importorskip("sklearn.neural_network")
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), np.arange(20) % 3
    options = {"solver": "sgd", "learning_rate_init": 1e-12, "max_iter": 1, "batch_size": 20, "random_state": 0}
    with pytest.warns(UserWarning, match="Maximum iterations"):
        network = neural_network.MLPClassifier((4,), alpha=0.5, **options).fit(x, y)
    model = portanet.Sequential([layers.Input((3,))])
    for units, activation in ((4, "relu"), (3, "softmax")):
        model.add(layers.Dense(units, activation, kernel_regularizer=portanet.regularizers.L2(0.5 / 2 / 20)))
    model.set_weights([part for pair in zip(network.coefs_, network.intercepts_, strict=True) for part in pair])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.evaluate(x, y, verbose=0) == pytest.approx(network.loss_, rel=1e-5)
    assert metrics.log_loss(y, network.predict_proba(x)) < network.loss_
