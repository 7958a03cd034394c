import pytest

from portanet import optimizers
from portanet.autodiff import grad
from tests.support import asarray, assert_close, to_numpy


def bowl(x, y):
    return x * x + 3 * y * y


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        lambda: optimizers.Adam(0.2),
        lambda: optimizers.RMSprop(0.1, centered=True),
        lambda: optimizers.Lookahead(optimizers.Adagrad(0.5)),
    ],
)
def test_each_point_is_a_step_of_the_optimizer(xp, make):
    points = optimizers.descend(bowl, (2.0, -1.0), make(), steps=5)
    optimizer, params = make(), {"x": asarray([2.0, -1.0])}
    state, expected = optimizer.init(params), [[2.0, -1.0]]
    for _ in range(5):
        x, y = to_numpy(params["x"]).tolist()
        params, state = optimizer.update(params, {"x": asarray([2 * x, 6 * y])}, state)
        expected.append(to_numpy(params["x"]).tolist())
    assert_close(points, expected, rtol=1e-5, dtype="float32")


def test_a_second_order_optimizer_measures_the_curvature(xp):
    points = to_numpy(optimizers.descend(bowl, (2.0, -1.0), optimizers.ESGD(0.1), steps=50))
    assert bowl(*points[-1]) < 0.1 * bowl(*points[0])


def test_one_number_and_no_step(xp):
    assert_close(optimizers.descend(lambda x: x * x, [3.0], optimizers.SGD(0.5), steps=0), [[3.0]])
    assert_close(optimizers.descend(lambda x: x * x, [3.0], optimizers.SGD(0.5), steps=1), [[3.0], [0.0]])


def test_the_optimizer_stays_as_it_is(xp):
    optimizer = optimizers.SGD(0.1, momentum=0.9)
    first = optimizers.descend(bowl, (2.0, -1.0), optimizer, steps=3)
    assert_close(optimizers.descend(bowl, (2.0, -1.0), optimizer, steps=3), to_numpy(first))


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_a_path_may_leave_for_infinity(xp):
    points = to_numpy(optimizers.descend(lambda x, y: x**4 + y, (10.0, 0.0), optimizers.SGD(1.0), steps=20))
    assert points.shape == (21, 2)
    assert not abs(points[-1][0]) < 1e30


def test_the_slope_at_the_start_is_that_of_autodiff(xp):
    points = to_numpy(optimizers.descend(bowl, (2.0, -1.0), optimizers.SGD(1.0), steps=1))
    slope = to_numpy(grad(lambda v: bowl(v[0], v[1]))(asarray([2.0, -1.0])))
    assert_close(asarray(points[0] - points[1]), slope, rtol=1e-6)
