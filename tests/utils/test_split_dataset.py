"""Parts of data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.utils import split_dataset

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


class Indexed:
    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Any:
        return {"x": X[index]}, Y[index]


@pytest.mark.parametrize("dataset", [({"x": X}, Y), Indexed(), ((({"x": x}), y) for x, y in zip(X, Y, strict=True))])
def test_parts_have_the_examples(dataset: Any) -> None:
    left, right = split_dataset(dataset, 0.3)
    assert (len(left), len(right)) == (3, 7)
    for number, (x, y) in enumerate([*left, *right]):
        np.testing.assert_array_equal(x["x"], X[number])
        assert y == number
    x, y = right.batch(4)[1]
    np.testing.assert_array_equal(x["x"], X[7:])
    np.testing.assert_array_equal(y, Y[7:])
    assert len(right.batch(4)) == 2


def test_sizes() -> None:
    for sizes, expected in (((4, None), (4, 6)), ((None, 0.2), (8, 2)), ((2, 3), (2, 3)), ((0.5, 0.25), (5, 2))):
        left, right = split_dataset(X, *sizes)
        assert (len(left), len(right)) == expected
    np.testing.assert_array_equal(split_dataset(X, 2, 3)[1][0], X[2])
    for wrong, message in (
        ((None, None), "must be given"),
        ((7, 7), "at least one example each, of 10"),
        ((0, None), "a share between 0 and 1"),
        ((1.5, None), "a share between 0 and 1"),
        (("a", None), "a share between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=message):
            split_dataset(X, *wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="arrays of one length"):
        split_dataset((X, Y[:3]), 0.5)
    for other in ("text", 3, list):
        with pytest.raises(ValueError, match="`dataset`"):
            split_dataset(other, 0.5)


def test_shuffled_examples() -> None:
    orders = [[int(y) for part in split_dataset((X, Y), 0.8, shuffle=True, seed=s) for _, y in part] for s in (5, 5, 6)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(10)) != orders[0]


def test_batches_of_a_part_train_a_model(backend: Any) -> None:
    left, right = split_dataset((X.astype("float32"), Y[:, None].astype("float32")), 0.8)
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(left.batch(4), validation_data=right.batch(2), epochs=1, verbose=0)
    assert history.params["steps"] == 2
    assert set(history.history) == {"loss", "val_loss"}
