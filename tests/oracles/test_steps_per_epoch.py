"""`steps_per_epoch` against Keras 3: where epochs begin and end in arrays, data sets, loaders and generators."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

# Keras warns of its own use of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
X = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def numbered(library: Any) -> Any:
    class Numbered(library.utils.PyDataset):
        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> Any:
            return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]

    return Numbered()


def loader(library: Any) -> Any:
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=4)


def unsized(library: Any) -> Any:
    """A loader that does not know its length."""
    from torch.utils.data import DataLoader, IterableDataset

    class Rows(IterableDataset):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            return iter(zip(X, Y, strict=True))

    return DataLoader(Rows(), batch_size=4)


def endless(library: Any) -> Any:
    while True:
        for i in range(0, 20, 4):
            yield X[i : i + 4], Y[i : i + 4]


def arrays(library: Any) -> Any:
    return None


@pytest.mark.parametrize("steps", [2, 3, 5, 7])
@pytest.mark.parametrize("make", [arrays, numbered, loader, unsized, endless])
def test_as_keras(backend: Any, make: Any, steps: int) -> None:
    keras = pytest.importorskip("keras")
    if make is unsized and steps == 5:
        pytest.skip("Keras takes an epoch without batches for the end of data of unknown length")
    curves = []
    weights: Any = None
    for library, module in ((portanet, layers), (keras, keras.layers)):
        model = library.Sequential([module.Input((2,)), module.Dense(1)])
        if weights is not None:
            model.set_weights(weights)
        weights = model.get_weights()
        model.compile(library.optimizers.SGD(0.1), "mse")
        data = (X, Y) if make is arrays else (make(library),)
        options = {"batch_size": 4} if make is arrays else {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = model.fit(*data, epochs=5, steps_per_epoch=steps, shuffle=False, verbose=0, **options).history
        ended = [w for w in caught if "ran out of data" in str(w.message) or "which ends there" in str(w.message)]
        curves.append((history["loss"], model.get_weights(), len(ended)))
    (losses, ours, ends), (expected, theirs, their_ends) = curves
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert ends == their_ends


def test_batch_sizes_follow_from_the_number_of_steps(backend: Any) -> None:
    keras = pytest.importorskip("keras")
    results: list[list[float]] = []
    weights: Any = None
    for library, module in ((portanet, layers), (keras, keras.layers)):
        model = library.Sequential([module.Input((2,)), module.Dense(1)])
        if weights is not None:
            model.set_weights(weights)
        weights = model.get_weights()
        model.compile(library.optimizers.SGD(0.1), "mse")
        options = {"epochs": 2, "shuffle": False, "verbose": 0}
        losses = []
        for more in ({"validation_data": (X[:11], Y[:11])}, {"validation_split": 0.25}):
            history = model.fit(X, Y, steps_per_epoch=4, validation_steps=2, **more, **options).history
            losses += history["loss"] + history["val_loss"]
        results.append([*losses, model.evaluate(X, Y, steps=3, verbose=0), *model.predict(X, steps=7, verbose=0)[:, 0]])
    np.testing.assert_allclose(*results, rtol=1e-4)
