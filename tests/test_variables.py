import threading

import pytest

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
