from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import portanet
from portanet.backends import Backend
from portanet.preprocessing import train_test_split
from tests.support import to_numpy


@given(count=st.integers(2, 60), seed=st.integers(0, 99), data=st.data())
def test_every_example_is_in_one_part(count: int, seed: int, data: st.DataObject) -> None:
    test_size = data.draw(st.integers(1, count - 1))
    x = np.arange(count)
    train, test, train_y, test_y = train_test_split(x, -x, test_size=test_size, seed=seed)
    assert len(test) == test_size
    assert sorted([*train, *test]) == list(range(count))
    np.testing.assert_array_equal(train_y, -train)
    np.testing.assert_array_equal(test_y, -test)


def test_arrays_of_any_library_are_split_alike(backend: Backend) -> None:
    host = np.arange(20).reshape(10, 2)
    x = portanet.asarray(host)
    train, test, names, _ = train_test_split(x, [str(i) for i in range(10)], test_size=0.3, seed=0)
    assert backend.owns(train)
    assert tuple(test.shape) == (3, 2)
    np.testing.assert_array_equal(to_numpy(train)[:, 0] // 2, names.astype(int))
    np.testing.assert_array_equal(to_numpy(x), host)


def test_in_order() -> None:
    train, test = train_test_split(np.arange(10), shuffle=False)
    assert (train.tolist(), test.tolist()) == ([0, 1, 2, 3, 4, 5, 6], [7, 8, 9])


def test_shares_of_classes() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    _, test = train_test_split(labels, test_size=0.2, stratify=labels, seed=4)
    assert np.bincount(test).tolist() == [12, 6, 2]


def test_the_global_generator_is_left_alone() -> None:
    np.random.seed(1)  # noqa: NPY002 -- the very thing that must stay as it is
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    train_test_split(np.arange(10), seed=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: train_test_split(), "at least one array"),
        (lambda: train_test_split([1, 2], [1]), r"Received: \[2, 1\]"),
        (lambda: train_test_split([1, 2], test_size=1.5), r"a number in \(0, 1\). Received: test_size=1.5"),
        (lambda: train_test_split([1, 2], test_size=2), "leaves some of 2 for training. Received: test_size=2"),
        (lambda: train_test_split([1, 2], shuffle=False, stratify=[0, 1]), "`stratify` needs shuffle=True"),
        (lambda: train_test_split([1, 2, 3], stratify=[0, 0, 1], test_size=1), "Every class needs an example"),
        (lambda: train_test_split([1, 2], stratify=[0], test_size=1), r"one label per example.*\(1,\)"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()


def test_the_first_of_equal_classes_get_the_remainder() -> None:
    """40 classes of 5 examples and 60 for the test set: one of each, and a second of the first 20."""
    labels = np.repeat(np.arange(40), 5)
    _, test = train_test_split(labels, test_size=60, stratify=labels, seed=1)
    np.testing.assert_array_equal(np.bincount(test), [2] * 20 + [1] * 20)
