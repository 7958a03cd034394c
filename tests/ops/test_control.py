"""Loops, conditions and functions of functions in portanet.ops, and what has no comparison with Keras."""

import numpy as np
import pytest

from portanet import ops
from portanet.autodiff import check_grads, grad, vmap
from portanet.autodiff import jvp as jvp_of
from tests.ops.cases import CASES, FUNCTIONS, OTHER
from tests.support import asarray, assert_close, assert_equal, to_numpy


def test_every_operation_has_a_case():
    from portanet.ops.operation import OPERATIONS

    assert set(OPERATIONS) <= {*CASES, *OTHER, *FUNCTIONS.split()}


def test_cond_calls_one_function(xp):
    x = asarray([1.0, 2.0])
    assert_close(ops.cond(x[0] > 0, lambda: x * 2, lambda: 1 / 0), [2.0, 4.0])
    assert_close(ops.cond(False, lambda: 1 / 0, lambda: x), [1.0, 2.0])


def test_cond_and_switch_inside_vmap_choose_by_example(xp):
    x = asarray([1.0, -2.0, 3.0])
    assert_close(vmap(lambda v: ops.cond(v > 0, lambda: v * 2, lambda: -v))(x), [2.0, 2.0, 6.0])
    branches = [lambda v: v, lambda v: 10 * v, lambda v: 0 * v]
    assert_close(vmap(lambda i, v: ops.switch(i, branches, v))(asarray([1, 0, 7], "int32"), x), [10.0, -2.0, 0.0])


def test_switch_clips_the_index(xp):
    branches = [lambda x: x, lambda x: 2 * x]
    assert_close(ops.switch(asarray(5, "int32"), branches, asarray(3.0)), 6.0)
    assert_close(ops.switch(-1, branches, asarray(3.0)), 3.0)


@pytest.mark.parametrize("limit", [None, 10])
def test_while_loop_and_its_gradient(xp, limit):
    def doubled(x):
        return ops.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, y * x], [0, x], maximum_iterations=limit)[1]

    assert_close(doubled(asarray(2.0)), 16.0)
    assert_close(grad(doubled)(asarray(2.0)), 32.0)
    assert_close(ops.while_loop(lambda x: True, lambda x: x + 1, asarray(0.0), maximum_iterations=4), 4.0)


def test_fori_loop_scan_and_map(xp):
    x = asarray([1.0, 2.0, 3.0])
    assert_close(ops.fori_loop(0, 3, lambda i, total: total + x[i], 0.0), 6.0)
    carry, sums = ops.scan(lambda total, v: (total + v, total), 0.0, x, reverse=True)
    assert_close(carry, 6.0)
    assert_close(sums, [5.0, 3.0, 0.0])
    assert_close(ops.scan(lambda total, _: (total + 1, total), 0, length=3)[1], [0, 1, 2], dtype="int32")
    assert_close(ops.map(lambda v: v * v, x), [1.0, 4.0, 9.0])
    assert_close(grad(lambda v: ops.sum(ops.map(lambda e: e * e, v)))(x), [2.0, 4.0, 6.0])


def test_vectorized_map_and_vectorize(xp):
    x, y = asarray([[1.0, 2.0], [3.0, 4.0]]), asarray([1.0, 10.0])
    assert_close(ops.vectorized_map(ops.sum, x), [3.0, 7.0])
    assert_close(ops.vectorized_map(lambda pair: pair[0] * pair[1], (x, x)), [[1.0, 4.0], [9.0, 16.0]])
    assert_close(ops.vectorize(lambda a, b: a * b)(x, y), [[1.0, 20.0], [3.0, 40.0]])
    assert_close(ops.vectorize(lambda a, b: a * b, excluded=[1])(y, 3.0), [3.0, 30.0])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_associative_scan_is_a_cumulative_sum(xp, count, reverse):
    x = np.arange(2.0 * count).reshape(2, count)
    expected = np.cumsum(x[:, ::-1] if reverse else x, axis=1)
    result = ops.associative_scan(lambda a, b: a + b, asarray(x), reverse=reverse, axis=1)
    assert_close(result, expected[:, ::-1] if reverse else expected)


def test_custom_gradient(xp):
    @ops.custom_gradient
    def log1pexp(x):
        e = ops.exp(x)

        def gradient(*args, upstream=None):
            return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1.0, e))

        return ops.log(1.0 + e), gradient

    assert_close(log1pexp(asarray(0.0)), np.log(2))
    assert_close(grad(log1pexp)(asarray(0.0)), 0.5)
    assert_close(grad(ops.custom_gradient(lambda x: (x * x, lambda g: 7 * g)))(asarray(3.0)), 7.0)


def test_jvp(xp):
    x = asarray([1.0, 2.0])
    value, tangent = ops.jvp(lambda v: v * v, (x,), (asarray([1.0, 0.5]),))
    assert_close(value, [1.0, 4.0])
    assert_close(tangent, [2.0, 2.0])
    value, tangent, aux = ops.jvp(lambda v: (v * v, v + 1), [x], [x], has_aux=True)
    assert_close(tangent, [2.0, 8.0])
    assert_close(aux, [2.0, 3.0])
    assert_close(jvp_of(lambda v: ops.stop_gradient(v) * v, (x,), (x,))[1], [1.0, 4.0])


@pytest.mark.parametrize("reduction", [None, "max", "min", "mul"])
def test_gradients_of_scatter_update(xp, reduction):
    x, updates = asarray([[0.3, 0.4], [1.2, -0.7]], "float64"), asarray([0.5, 2.0, -0.6], "float64")
    indices = asarray([[0, 1], [1, 1], [1, 1]], "int64")
    check_grads(lambda x, u: ops.scatter_update(x, indices, u, reduction), (x, updates))


def test_results_that_are_not_unique(xp):
    x = asarray([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    places = ops.argpartition(x, 1)
    chosen = to_numpy(ops.take_along_axis(x, places, axis=-1))
    assert (chosen[:, 1] == [2.0, 4.0]).all()
    assert_equal(ops.nonzero(asarray([0.0, 2.0, 3.0]))[0], [1, 2], dtype="int32")
    assert ops.shape(ops.empty((2, 3))) == ops.shape(ops.empty_like(x)) == (2, 3)
    assert ops.dtype(x) == "float32"
    assert ops.is_tensor(x)
    assert not ops.is_tensor([1.0])
    assert_close(ops.sort(ops.real(ops.eig(asarray([[2.0, 0.0], [0.0, 1.0]]))[0])), [1.0, 2.0])
    assert isinstance(ops.convert_to_numpy(x), np.ndarray)


def test_beam_search_finds_what_the_best_classes_miss():
    logits = np.log(np.asarray([[[0.4, 0.35, 0.25], [0.4, 0.35, 0.25]]]))
    assert to_numpy(ops.ctc_decode(asarray(logits), [2])[0]).tolist() == [[[-1, -1]]]
    labels, scores = ops.ctc_decode(asarray(logits), [2], "beam_search", top_paths=2)
    assert to_numpy(labels).tolist() == [[[1, -1]], [[2, -1]]]
    assert_close(ops.exp(scores), [[0.35 * 0.4 * 2 + 0.35**2, 0.25 * 0.4 * 2 + 0.25**2]])
