from __future__ import annotations

import numpy as np
import pytest

from portanet.utils import pad_sequences


def test_sides() -> None:
    x = [[1], [2, 3], [4, 5, 6]]
    np.testing.assert_array_equal(pad_sequences(x), [[0, 0, 1], [0, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(pad_sequences(x, 2), [[0, 1], [2, 3], [5, 6]])
    np.testing.assert_array_equal(pad_sequences(x, 2, padding="post", truncating="post"), [[1, 0], [2, 3], [4, 5]])
    assert pad_sequences(x).dtype == "int32"


def test_vectors_values_and_empty_sequences() -> None:
    result = pad_sequences([[[1.0, 2.0]], []], 2, "float64", value=-1)
    np.testing.assert_array_equal(result, [[[-1, -1], [1, 2]], [[-1, -1], [-1, -1]]])
    assert pad_sequences([[], []]).shape == (2, 0)
    assert pad_sequences([]).shape == (0, 0)


def test_words() -> None:
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="").tolist() == [["", "a"], ["b", "c"]]


def test_the_sequences_stay_as_they_are() -> None:
    x = [np.asarray([1, 2, 3])]
    pad_sequences(x, 2)[0, 0] = 9
    np.testing.assert_array_equal(x[0], [1, 2, 3])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: pad_sequences([[1]], padding="left"), "Received: padding='left'"),
        (lambda: pad_sequences([[1]], truncating=None), "Received: truncating=None"),
        (lambda: pad_sequences([[1]], maxlen=0), "Received: maxlen=0"),
        (lambda: pad_sequences([1, 2]), "Received: 1 at 0"),
        (lambda: pad_sequences([["a"]]), r"must hold numbers.* Received: \['a'\] at 0"),
        (lambda: pad_sequences([[1.5]]), "with dtype 'int32' holds integers; round the data first"),
        (
            lambda: pad_sequences([[300]], dtype="uint8"),
            "integers from 0 to 255; .* Received: integers from 300 to 300",
        ),
        (lambda: pad_sequences("text"), "must be a list of sequences. Received: sequences='text'"),
        (lambda: pad_sequences([[[1, 2]], [[1]]]), r"Received: shapes \[\(1,\), \(2,\)\]"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()
