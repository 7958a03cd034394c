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


def test_cond_switch_and_trees_by_example(xp):
    """Results that are trees of arrays with axes of their own; a condition for each example, and one for all."""
    x = np.asarray([[1.0, -2.0], [3.0, 4.0], [-5.0, 6.0]])
    flags, numbers = [True, False, True], [2, -1, 1]

    def chosen(flag, v):
        return ops.cond(flag, lambda: {"a": v + 1, "b": (ops.sum(v),)}, lambda: {"a": -v, "b": (0.0 * ops.max(v),)})

    by_example = vmap(chosen)(asarray(flags), asarray(x))
    assert_close(by_example["a"], [[2.0, -1.0], [-3.0, -4.0], [-4.0, 7.0]])
    assert_close(by_example["b"][0], [-1.0, 0.0, 1.0])
    for flag in (True, False):
        for given in (flag, asarray(flag), asarray(3.0 * flag)):
            assert_close(chosen(given, asarray(x[0]))["a"], x[0] + 1 if flag else -x[0])
    with_same = vmap(lambda v: chosen(asarray(False), v)["a"])(asarray(x))
    assert_close(with_same, -x)

    branches = [lambda v, w: (v, w), lambda v, w: (w, v + 10), lambda v, w: (v * w, v - w)]
    both = vmap(lambda i, v, w: ops.switch(i, branches, v, w))(asarray(numbers, "int32"), asarray(x), asarray(2 * x))
    expected = [[x[0] * 2 * x[0], x[1], 2 * x[2]], [-x[0], 2 * x[1], x[2] + 10]]
    for actual, rows in zip(both, expected, strict=True):
        assert_close(actual, rows)
    for i in (-3, 0, 1, 2, 9):
        actual = ops.switch(asarray(i, "int32"), branches, asarray(x), asarray(2 * x))
        assert_close(actual[1], branches[min(max(i, 0), 2)](x, 2 * x)[1])


def test_derivatives_of_what_was_chosen_by_example(xp):
    x = asarray([2.0, -3.0, 0.5])
    slope = grad(lambda v: ops.cond(v > 0, lambda: v * v, lambda: 5 * v))
    assert_close(vmap(slope)(x), [4.0, 5.0, 1.0])
    slope = grad(lambda v, i: ops.switch(i, [lambda u: u * u, lambda u: 7 * u, lambda u: u * u * u], v))
    assert_close(vmap(slope)(x, asarray([0, 1, 2], "int32")), [4.0, 7.0, 0.75])


def test_while_loop_with_several_variables_and_limits(xp):
    def step(i, pair):
        return i + 1, {"sum": pair["sum"] + i, "all": pair["all"] * 2}

    for limit, count in ((None, 4), (9, 4), (4, 4), (3, 3), (1, 1), (0, 0)):
        start = (asarray(0, "int32"), {"sum": asarray(0, "int32"), "all": asarray([1.0, 3.0])})
        last, pair = ops.while_loop(lambda i, _: i < 4, step, start, limit)
        assert int(last) == count
        assert int(pair["sum"]) == sum(range(count))
        assert_close(pair["all"], [2.0**count, 3 * 2.0**count])
    assert isinstance(ops.while_loop(lambda i: i < 2, lambda i: [i + 1], [0]), tuple)
    assert_close(ops.while_loop(lambda i: i < 2.5, lambda i: i + 1, 0.0), 3.0)
    assert_close(ops.while_loop(lambda i: False, lambda i: i + 1, 0.0, 5), 0.0)


@pytest.mark.parametrize("reverse", [False, True])
def test_loops_from_arrays_and_scans_of_trees(xp, reverse):
    assert_close(ops.fori_loop(asarray(2, "int32"), asarray(5, "int32"), lambda i, t: t * 10 + i, 1.0), 1234.0)
    assert_close(ops.fori_loop(3, 3, lambda i, t: t + 1, 1.0), 1.0)
    a, b = [1.0, 2.0, 4.0], [[1.0], [0.0], [2.0]]
    carry, out = ops.scan(
        lambda c, v: (2 * c + v["a"], {"before": c, "b": v["b"] + 1}),
        asarray(0.0),
        {"a": asarray(a), "b": asarray(b)},
        reverse=reverse,
    )
    seen, total = [0.0] * 3, 0.0
    for i in reversed(range(3)) if reverse else range(3):
        seen[i], total = total, 2 * total + a[i]
    assert_close(carry, total)
    assert_close(out["before"], seen)
    assert_close(out["b"], np.asarray(b) + 1)
    assert_close(ops.scan(lambda c, v: (c + v, c * v), 1.0, a, reverse=reverse, unroll=True)[0], 8.0)
    assert_close(ops.map(lambda pair: pair[0] * pair[1][0], (asarray(a), asarray(b))), [1.0, 0.0, 8.0])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_associative_scan_of_trees(xp, axis, reverse):
    """Products of matrices, which do not commute, as pairs of a factor and a shift."""
    factor, shift = np.random.default_rng(0).uniform(0.5, 1.5, (2, 3, 5, 4))

    def after(first, second):
        return first[0] * second[0], first[1] * second[0] + second[1]

    result = ops.associative_scan(after, (asarray(factor), asarray(shift)), reverse, axis)
    f, s = (np.moveaxis(v, axis, 0)[:: -1 if reverse else 1] for v in (factor, shift))
    rows = [(f[0], s[0])]
    for i in range(1, len(f)):
        rows.append(after(rows[-1], (f[i], s[i])))
    for actual, parts in zip(result, zip(*rows, strict=True), strict=True):
        expected = np.stack(parts)[:: -1 if reverse else 1]
        assert_close(actual, np.moveaxis(expected, 0, axis), rtol=1e-4, atol=1e-5)


def test_vectorize_broadcasts_and_leaves_out(xp):
    x, y = np.asarray([[1.0], [2.0]]), np.asarray([10.0, 20.0, 30.0])
    results = ops.vectorize(lambda a, b, c: (a + b, ops.stack([a * c, b])))(asarray(x), asarray(y), 2.0)
    assert_close(results[0], x + y)
    assert_close(results[1], np.stack([2 * x + 0 * y, 0 * x + y], -1))
    table = asarray(y)
    picked = ops.vectorize(lambda t, i: ops.take(t, i), excluded={0})(table, asarray([[2], [0]], "int32"))
    assert_close(picked, [[30.0], [10.0]])
    assert_close(ops.vectorize(lambda i, scale: i * scale, excluded=[1])([1.0, 2.0], 3.0), [3.0, 6.0])
    with pytest.raises(ValueError, match="signature"):
        ops.vectorize(lambda a: a, signature="(n)->()")


def test_custom_gradients_of_several_arguments(xp):
    @ops.custom_gradient
    def product(a, b):
        return a * b, lambda *args, upstream: (args[1] * upstream * 2, args[0] * upstream * 3)

    @ops.custom_gradient
    def other(a, b):
        return a * b, lambda g: (g * 5, g * b)

    a, b = asarray([1.0, 2.0]), asarray([3.0, 4.0])
    for function, expected in ((product, [[6.0, 8.0], [3.0, 6.0]]), (other, [[5.0, 5.0], [3.0, 4.0]])):
        assert_close(function(a, [3.0, 4.0]), [3.0, 8.0])
        for slope, values in zip(grad(lambda a, b, f=function: ops.sum(f(a, b)), (0, 1))(a, b), expected, strict=True):
            assert_close(slope, values)


@pytest.mark.parametrize("name", ["copy", "full", "full_like", "broadcast_to and full_like"])
def test_results_do_not_share_the_memory_of_arguments(xp, name):
    """What is written into a result later does not reach the argument."""
    x = asarray([1.0, 2.0, 3.0])
    result = {
        "copy": lambda: ops.copy(x),
        "full": lambda: ops.full((3,), x),
        "full_like": lambda: ops.full_like(x, x),
        "broadcast_to and full_like": lambda: ops.full_like(ops.zeros((2, 3)), x),
    }[name]()
    assert ops.shape(result)[-1] == 3
    if not name.startswith("broadcast"):
        assert result is not x
    array = np.asarray(x) if isinstance(x, np.ndarray) else None
    if array is not None:
        assert not np.shares_memory(result, x)
        assert result.flags.writeable
        result[..., 0] = 7.0  # every element is one of its own
        assert_close(result[..., 1:], np.broadcast_to([2.0, 3.0], (*result.shape[:-1], 2)))
    assert_close(x, [1.0, 2.0, 3.0])
