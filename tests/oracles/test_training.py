"""Whole training runs of an MLP against PyTorch and Keras 3, with the same initial weights and order."""

import numpy as np
import pytest

import portanet
from portanet import layers

# Both libraries warn of their own use of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
generator = np.random.default_rng(0)
X = generator.normal(size=(70, 5)).astype("float32")
Y = generator.integers(0, 3, 70)
STEPS = {
    "sgd": (lambda: portanet.optimizers.SGD(0.1), "SGD", {"lr": 0.1}),
    "nesterov": (
        lambda: portanet.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    ),
    "adam": (lambda: portanet.optimizers.Adam(0.01, epsilon=1e-7), "Adam", {"lr": 0.01, "eps": 1e-7}),
}  # fmt: skip


def ours(optimizer):
    portanet.random.set_seed(0)
    model = portanet.Sequential([layers.Input((5,)), layers.Dense(8, activation="relu"), layers.Dense(3)])
    model.compile(optimizer, portanet.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


@pytest.mark.parametrize("name", STEPS)
def test_as_pytorch(backend, name):
    torch = pytest.importorskip("torch")
    make, theirs, options = STEPS[name]
    model = ours(make())
    w, b, v, c = map(torch.tensor, model.get_weights())
    net = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (w.T, b, v.T, c), strict=True):
            parameter.copy_(value)
    optimizer = getattr(torch.optim, theirs)(net.parameters(), **options)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    curve = []
    for _ in range(4):
        total = 0.0
        for start in range(0, 70, 16):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(x[start : start + 16]), y[start : start + 16])
            loss.backward()
            optimizer.step()
            total += float(loss) * len(y[start : start + 16])
        curve.append(total / 70)
    history = model.fit(X, Y, batch_size=16, epochs=4, shuffle=False, verbose=0).history
    # PyTorch's Adam adds epsilon after the bias correction, Keras and portanet before: negligible here.
    np.testing.assert_allclose(history["loss"], curve, rtol=2e-4)
    np.testing.assert_allclose(model.get_weights()[0], net[0].weight.detach().numpy().T, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", STEPS)
def test_as_keras(backend, name):
    keras = pytest.importorskip("keras")
    make, theirs, _ = STEPS[name]
    model = ours(make())
    config = {k: v for k, v in model.optimizer.get_config().items() if k in (
        "learning_rate", "momentum", "nesterov", "beta_1", "beta_2", "epsilon")}  # fmt: skip
    twin = keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)])
    twin.set_weights(model.get_weights())
    twin.compile(
        getattr(keras.optimizers, theirs)(**config),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    split = {"batch_size": 16, "epochs": 4, "shuffle": False, "validation_split": 0.2, "verbose": 0}
    expected = twin.fit(X, Y, **split).history
    result = model.fit(X, Y, **split).history
    assert set(result) == set(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(result[key], values, rtol=1e-4, atol=1e-5, err_msg=key)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
