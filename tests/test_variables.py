import threading

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import use_backend
from portanet.variables import Variable, bind
from tests.support import asarray, assert_equal


def make(backend, values=(1.0, 2.0), name="w"):
    return Variable(asarray(list(values)), name, backend)


def test_value_and_assign(backend):
    v = make(backend)
    assert_equal(v.value, [1.0, 2.0])
    v.assign(asarray([3.0, 4.0]))
    assert_equal(v.value, [3.0, 4.0])


def test_assign_of_another_shape_is_refused(backend):
    v = make(backend)
    with pytest.raises(ValueError, match=r"shape \(2,\).*Received: \(3,\)"):
        v.assign(asarray([1.0, 2.0, 3.0]))
    assert_equal(v.value, [1.0, 2.0])


def test_bound_values_hold_inside_the_block_only(backend):
    v = make(backend)
    with bind({v: asarray([5.0, 6.0])}) as bound:
        assert_equal(v.value, [5.0, 6.0])
        v.assign(asarray([7.0, 8.0]))
        assert_equal(bound[v], [7.0, 8.0])
    assert_equal(v.value, [1.0, 2.0])


def test_inner_binding_wins_and_the_outer_comes_back(backend):
    a, b = make(backend), make(backend, name="b")
    with bind({a: asarray([5.0, 6.0]), b: asarray([0.0, 0.0])}):
        with bind({a: asarray([9.0, 9.0])}):
            assert_equal(a.value, [9.0, 9.0])
            assert_equal(b.value, [0.0, 0.0])
        assert_equal(a.value, [5.0, 6.0])


def test_other_threads_do_not_see_a_binding(backend):
    v = make(backend)
    seen = []
    with bind({v: asarray([5.0, 6.0])}):
        thread = threading.Thread(target=lambda: seen.append(v.value))
        thread.start()
        thread.join()
    assert_equal(seen[0], [1.0, 2.0])


def test_numpy_gives_a_copy(backend):
    v = make(backend)
    v.numpy()[:] = 9
    assert_equal(v.value, [1.0, 2.0])


def test_size_and_bytes(backend):
    v = Variable(asarray([[1.0, 2.0, 3.0]]), "w", backend)
    assert (v.size, v.nbytes) == (3, 12)


@pytest.mark.parametrize("value", [[3, 4], np.asarray([3.0, 4.0]), np.asarray([3, 4], dtype="int64"), (3.0, 4.0)])
def test_data_of_the_host_is_converted(value, backend):
    v = make(backend)
    v.assign(value)
    assert_equal(v.value, [3.0, 4.0])
    with bind({v: asarray([5.0, 6.0])}) as bound:
        v.assign(value)
        assert_equal(bound[v], [3.0, 4.0])
    if not isinstance(value, (list, tuple)) and backend.name != "numpy":
        v.assign(np.asarray(value, dtype="float64"))
        assert_equal(v.value, [3.0, 4.0])


@pytest.mark.parametrize("value", [None, "a", ["a", "b"], object()])
def test_what_is_not_numeric_is_not_assigned(value, backend):
    v = make(backend)
    with pytest.raises(TypeError, match=r"The value of variable 'w' must be numeric .*Received: "):
        v.assign(value)
    assert_equal(v.value, [1.0, 2.0])


def test_an_array_of_another_library_is_converted():
    torch = pytest.importorskip("torch")
    with use_backend("numpy") as backend:
        v = make(backend)
        v.assign(torch.asarray([3.0, 4.0]))
        assert_equal(v.value, [3.0, 4.0])
        v.assign(v.value[:1].repeat(2))
        assert_equal(v.value, [3.0, 3.0])


def test_set_weights_says_what_it_takes(backend):
    model = portanet.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match=r"has no weights yet; give the model an Input, .*Received: 1 arrays"):
        model.set_weights([np.ones((3, 1))])
    model.build((None, 3))
    before = model.get_weights()
    for weights, message in (
        (None, r"Argument `weights` of layer 'sequential' must be a list of arrays\. Received: None"),
        ([np.ones((3, 1))], r"has 2 weights; pass as many\. Received: 1 arrays"),
        ([np.ones((3, 1)), np.ones(2)], r"Weight 'dense/bias' has shape \(1,\); pass an array of that shape"),
        ([np.ones((3, 1)), ["a"]], r"Weight 'dense/bias' takes numbers\. Received: "),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            model.set_weights(weights)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
