"""Calls with plans: other kinds of inputs, threads, copies, memory, and predictions."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import use_backend
from portanet.callbacks import LambdaCallback
from portanet.training import planned_calls
from tests.training.planned import assert_same, draw, mlp, never_planned, ordinary, plans, warmed


@pytest.fixture(autouse=True)
def numpy_backend():
    with use_backend("numpy"):
        yield


# Calls of other kinds


def test_other_inputs():
    model = warmed(mlp(), 2, 6)
    x = draw(2, 6)
    for given in (np.asfortranarray(x), x[::-1], x.astype("float64"), x.astype("float16"), x.astype(">f4")):
        for _ in range(4):
            assert_same(model(given), ordinary(model, given))
    for wrong in (draw(2, 5), draw(6)[0]):
        for _ in range(3):
            with pytest.raises(ValueError, match="Received"):
                model(wrong)
    with pytest.raises(TypeError):
        model([[1.0] * 6])
    whole = draw(7, 6)
    for rows in (slice(0, 3), slice(3, 6)):
        assert_same(model(whole[rows]), ordinary(model, whole[rows]))


def test_values_that_an_override_leaves_to_its_definition():
    model = portanet.Sequential([layers.Input((9, 4)), layers.GRU(5), layers.Dense(2)])
    warmed(model, 3, 9, 4)
    x = draw(3, 9, 4)
    x[1, 2] = [np.inf, 0.0, -1.0, 0.0]
    with np.errstate(invalid="ignore"):
        for given in (x, draw(3, 9, 4), x):
            assert_same(model(given), ordinary(model, given))
    assert np.isfinite(model(x)).all()


def test_another_structure_of_inputs():
    a, b = layers.Input((2,), name="a"), layers.Input((2,), name="b")
    model = portanet.Model([a, b], a - b * 2.0)
    x, y = draw(1, 2), draw(1, 2, seed=1)
    for _ in range(4):
        results = [model(given) for given in ([x, y], (x, y), {"a": x, "b": y}, {"b": y, "a": x})]
        for each in results:
            assert_same(each, x - y * 2)
        assert_same(model([y, x]), y - x * 2)
        assert_same(model([x, x]), x - x * 2)


def test_errors_of_numbers():
    model, x = warmed(portanet.Sequential([layers.Input((2,)), layers.Activation("exponential")]), 1, 2), draw(1, 2)
    large = np.full((1, 2), 1e4, dtype="float32")
    with np.errstate(over="raise"), pytest.raises(FloatingPointError) as error:
        model(large)
    assert "In layer 'sequential" in error.value.__notes__[0]
    with np.errstate(over="ignore"):
        assert np.isinf(model(large)).all()
    assert_same(model(x), ordinary(model, x))


def test_another_backend_in_use():
    model, x = warmed(mlp(), 1, 6), draw(1, 6)
    expected = model(x)
    with use_backend("strict"):
        assert_same(model(x), expected)
    with use_backend("numpy", dtype="float64"):
        assert_same(model(x), expected)
    moved = model.to("numpy", dtype="float64")
    for _ in range(4):
        y = moved(x.astype("float64"))
        assert y.dtype == "float64"
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_in_another_model():
    inner = warmed(mlp(), 2, 6)
    start = layers.Input((6,))
    outer = portanet.Model(start, inner(start) * 2.0)
    for seed in range(5):
        x = draw(2, 6, seed=seed)
        assert_same(outer(x), ordinary(inner, x) * 2)
    assert plans(outer)
    inner.layers[0].kernel.assign(inner.layers[0].kernel.value * 3)
    assert_same(outer(x), ordinary(inner, x) * 2)


# Threads, copies, memory


def test_threads():
    model = warmed(mlp(), 4, 6)
    wrong = []

    def work(number):
        for seed in range(60):
            x = draw(4, 6, seed=1000 * number + seed)
            if model(x).tobytes() != ordinary(model, x).tobytes():
                wrong.append((number, seed))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies(copied):
    model, x = warmed(mlp(), 1, 6), draw(1, 6)
    other = copied(model)
    assert other._calls is None
    for _ in range(4):
        assert_same(other(x), ordinary(model, x))
    if copied is not copy.copy:  # which shares the layers
        other.layers[0].kernel.assign(other.layers[0].kernel.value * 2)
        assert other(x).tobytes() != model(x).tobytes()
        assert_same(model(x), ordinary(model, x))


def test_few_signatures_are_kept():
    model = mlp()
    for batch in range(1, 3 * planned_calls.MOST_SIGNATURES):
        for seed in range(3):
            x = draw(batch, 6, seed=seed)
            assert_same(model(x), ordinary(model, x))
    assert len(model._calls.known) == planned_calls.MOST_SIGNATURES


def test_memory_of_all_plans(monkeypatch):
    first, second = warmed(mlp(), 1, 6), mlp()
    size = plans(first)[0].plan.nbytes
    held = sum(each.plan.nbytes for each in planned_calls._all if each.plan is not None)
    monkeypatch.setattr(planned_calls, "MOST_BYTES", max(size, held - size) if held > size else size)
    warmed(second, 1, 6)
    assert sum(each.plan.nbytes for each in planned_calls._all if each.plan is not None) <= planned_calls.MOST_BYTES
    for model in (first, second):
        for seed in range(4):
            x = draw(1, 6, seed=seed)
            assert_same(model(x), ordinary(model, x))


def test_large_calls_have_no_plan():
    model = portanet.Sequential([layers.Input((300,)), layers.Dense(300, "relu"), layers.Dense(2)])
    x = draw(4000, 300)
    never_planned(model, x, 4)


def test_plans_go_with_their_model():
    model = warmed(mlp(), 1, 6)
    plan = weakref.ref(plans(model)[0])
    del model
    gc.collect()
    assert plan() is None


# Predictions


def test_predictions():
    model, shape = mlp(), (3, 6)
    for seed in range(8):
        x = draw(*shape, seed=seed)
        expected = ordinary(model, x)
        assert_same(model.predict(x), expected)
        assert_same(model.predict_on_batch(x), expected)
        assert_same(model.predict(x, batch_size=2), np.concatenate([ordinary(model, x[:2]), ordinary(model, x[2:])]))
        np.testing.assert_allclose(model.predict(x.astype("float64")), expected, rtol=1e-5)
        np.testing.assert_allclose(model.predict(x.tolist()), expected, rtol=1e-5)
    assert plans(model)
    assert any(model._calls.direct.values())
    x[1, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        model.predict(x)
    assert np.isnan(model.predict_on_batch(x)[1]).all()
    with pytest.raises(ValueError, match="batch_size"):
        model.predict(draw(*shape), batch_size=0)


def test_callbacks_of_predictions():
    model, x = mlp(), draw(4, 6)
    for _ in range(5):
        model.predict(x, batch_size=2)
    seen = []
    for _ in range(3):
        results = model.predict(
            x, batch_size=2, callbacks=[LambdaCallback(on_predict_batch_end=lambda batch, logs: seen.append(batch))]
        )
        assert_same(results, np.concatenate([ordinary(model, x[:2]), ordinary(model, x[2:])]))
    assert seen == [0, 1] * 3


def test_own_steps_of_prediction():
    class Doubled(portanet.Sequential):
        def predict_step(self, data):
            return 2 * super().predict_step(data)

    model, x = Doubled([layers.Input((6,)), layers.Dense(2)]), draw(2, 6)
    for _ in range(5):
        assert_same(model.predict_on_batch(x), 2 * ordinary(model, x))
        assert_same(model.predict(x), 2 * ordinary(model, x))
    for options in ({"run_eagerly": True}, {"jit_compile": False}):
        plain = warmed(mlp(), 2, 6)
        before = list(plain._calls.known)
        plain.compile("sgd", "mse", **options)
        for _ in range(5):
            plain.predict_on_batch(x)
        assert list(plain._calls.known) == before


def test_a_step_of_prediction_that_is_set_later():
    model, x = warmed(mlp(), 2, 6), draw(2, 6)
    for _ in range(3):
        model.predict(x)
    model.predict_step = lambda data: 2 * model(data)
    for predict in (model.predict, model.predict_on_batch):
        assert_same(predict(x), 2 * ordinary(model, x))
    del model.predict_step
    for predict in (model.predict, model.predict_on_batch):
        assert_same(predict(x), ordinary(model, x))


def test_checks_of_data():
    words = portanet.Sequential([layers.Input((3,), dtype="int32"), layers.Embedding(5, 2)])
    good, bad = np.asarray([[0, 1, 4]], dtype="int32"), np.asarray([[0, 1, 5]], dtype="int32")
    for _ in range(5):
        words.predict_on_batch(good)
        with pytest.raises(IndexError, match="to 5"):
            words.predict_on_batch(bad)
