"""Every data source yields the same batches as arrays, in an order that depends only on the seed."""

import gc
import threading
import tracemalloc
import warnings

import numpy as np
import pytest

import portanet
from portanet.datasets import NpyShards, map_idx
from tests.training.models import line, rows

X, Y = rows()


class Numbered(portanet.utils.PyDataset):
    """Batches of four, in order."""

    def __init__(self):
        self.asked, self.hooks = [], []

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.asked.append(index)
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]

    def on_epoch_begin(self):
        self.hooks.append("begin")

    def on_epoch_end(self):
        self.hooks.append("end")


class Again:
    """A restartable iterable of lists, like a DataLoader."""

    def __iter__(self):
        return ([X[i : i + 4], Y[i : i + 4]] for i in range(0, 20, 4))


def forever():
    while True:
        yield from Again()


def mapped(folder):
    for name, array in (("x", X), ("y", Y)):
        np.save(folder / f"{name}.npy", array)
    return np.load(folder / "x.npy", mmap_mode="r"), np.load(folder / "y.npy", mmap_mode="r")


def shards(folder):
    for i in range(4):
        np.save(folder / f"x{i}.npy", X[i * 5 : i * 5 + 5])
        np.save(folder / f"y{i}.npy", Y[i * 5 : i * 5 + 5])
    return NpyShards(sorted(folder.glob("x?.npy"))), NpyShards(sorted(folder.glob("y?.npy")))


def curve(x, y=None, **options):
    return line().fit(x, y, epochs=3, verbose=0, **options).history["loss"]


@pytest.mark.parametrize("prefetch", [0, 1, 3])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("kind", [mapped, shards])
def test_files_give_the_batches_of_arrays(backend, tmp_path, kind, shuffle, prefetch):
    result = curve(*kind(tmp_path), batch_size=6, shuffle=shuffle, prefetch=prefetch, validation_split=0.25)
    assert result == curve(X, Y, batch_size=6, shuffle=shuffle, validation_split=0.25)


def test_mapped_inputs_with_targets_in_memory(backend, tmp_path):
    assert curve(mapped(tmp_path)[0], Y) == curve(X, Y)


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("make", [Again, Numbered])
def test_what_gives_batches(backend, make, prefetch):
    expected = curve(X, Y, batch_size=4, shuffle=False)
    assert curve(make(), shuffle=False, prefetch=prefetch) == expected
    model = line()
    assert model.evaluate(make(), verbose=0) == model.evaluate(X, Y, batch_size=4, verbose=0)
    np.testing.assert_array_equal(model.predict(make()), model.predict(X, batch_size=4))


def test_a_generator_goes_on_in_the_next_epoch(backend):
    assert curve(forever(), steps_per_epoch=5) == curve(X, Y, batch_size=4, shuffle=False)


def test_a_torch_data_loader(backend):
    data = pytest.importorskip("torch.utils.data")
    import torch

    loader = data.DataLoader(data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=4)
    assert curve(loader) == curve(X, Y, batch_size=4, shuffle=False)


def test_numbered_batches_are_shuffled_by_the_seed():
    orders = []
    for prefetch in (0, 3):
        data = Numbered()
        curve(data, prefetch=prefetch)
        orders.append(data.asked[1:])  # the first was read to build the model
        assert data.hooks == ["begin", "end"] * 3
    assert orders[0] == orders[1]
    epochs = [orders[0][i : i + 5] for i in (0, 5, 10)]
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 1


def test_steps_per_epoch_goes_on_through_the_arrays():
    seen = []

    class Look(portanet.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["loss"])

    model = line(optimizer=portanet.optimizers.SGD(0.0))
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, "callbacks": [Look()]}
    with pytest.warns(UserWarning, match="gave 1 batches of steps_per_epoch=2 in epoch 3"):
        model.fit(X, Y, steps_per_epoch=2, epochs=4, **options)
    parts = [model.evaluate(X[i : i + 4], Y[i : i + 4], verbose=0) for i in (0, 4, 8, 12, 16)]
    expected = [np.mean(parts[:2]), np.mean(parts[2:4]), parts[4], np.mean(parts[:2])]
    np.testing.assert_allclose(seen, expected, rtol=1e-6)
    seen.clear()
    with pytest.warns(UserWarning, match="gave 5 batches of steps_per_epoch=7"):
        model.fit(X, Y, steps_per_epoch=7, epochs=2, **options)
    np.testing.assert_allclose(seen, [np.mean(parts)] * 2, rtol=1e-6)
    with pytest.warns(UserWarning, match="gave 5 batches"):
        assert model.evaluate(X, Y, 4, steps=7, verbose=0) == pytest.approx(np.mean(parts), rel=1e-6)


class Sized(Again):
    """The same with a length, like most DataLoaders."""

    def __len__(self):
        return 5


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("make", [Again, Sized, Numbered])
@pytest.mark.parametrize(("steps", "ends"), [(2, (3, 6)), (4, (2, 4, 6)), (5, ()), (7, (1, 2, 3, 4, 5, 6))])
def test_steps_per_epoch_of_what_can_be_begun_again(make, steps, ends, prefetch):
    def run(x, y=None, **options):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            return [*fit(x, y, **options), [str(w.message) for w in caught]]

    def fit(x, y, **options):
        model = line()
        history = model.fit(x, y, epochs=6, steps_per_epoch=steps, shuffle=False, verbose=0, **options)
        return history.history["loss"], model.get_weights()

    losses, weights, messages = run(make(), prefetch=prefetch)
    expected = run(X, Y, batch_size=4)
    assert losses == expected[0]
    for a, b in zip(weights, expected[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert messages == expected[2]
    assert [int(m.split("epoch ")[1].split(",")[0]) for m in messages] == list(ends)


@pytest.mark.parametrize("make", [Again, Sized, Numbered])
def test_each_validation_begins_anew(make):
    model = line(optimizer=portanet.optimizers.SGD(0.0))
    result = model.fit(X, Y, epochs=3, validation_data=make(), validation_steps=2, verbose=0).history["val_loss"]
    assert result == [model.evaluate(X[:8], Y[:8], batch_size=4, verbose=0)] * 3


def test_a_curriculum_is_a_function_of_the_epoch(backend):
    def easy_first(epoch, count):
        return np.argsort(np.abs(Y[:count, 0]))[: 5 * (epoch + 1)]

    model = line(optimizer=portanet.optimizers.SGD(0.0))
    result = model.fit(X, Y, epochs=2, batch_size=4, shuffle=easy_first, verbose=0).history["loss"]
    errors = (model.predict(X) - Y)[:, 0] ** 2
    order = np.argsort(np.abs(Y[:, 0]))
    np.testing.assert_allclose(result, [errors[order[:5]].mean(), errors[order[:10]].mean()], rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, 5),
        ({"shuffle": False}, 5),
        ({"batch_size": 7}, 3),
        ({"steps_per_epoch": 3}, 3),
        ({"shuffle": lambda epoch, count: [0]}, None),  # known when it is called
    ],
)
def test_callbacks_know_the_steps_of_an_epoch(options, steps):
    look = portanet.callbacks.Callback()
    line().fit(X, Y, **{"batch_size": 4, "verbose": 0, "callbacks": [look], **options})
    assert look.params["steps"] == steps


def test_an_order_is_moved_to_the_device_once_an_epoch(backend, monkeypatch):
    x, y = portanet.asarray(X), portanet.asarray(Y)
    moved, from_host = [], type(backend).from_host

    def counted(self, array, *args):
        moved.extend([array.tolist()] if array.shape == (20,) else [])
        return from_host(self, array, *args)

    monkeypatch.setattr(type(backend), "from_host", counted)
    line().fit(x, y, batch_size=4, epochs=3, verbose=0)
    assert len(moved) == 3
    assert all(sorted(order) == list(range(20)) for order in moved)


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_an_order_holds_the_first_and_the_last_and_any_twice(backend, dtype):
    chosen = np.asarray([19, 0, 0, 7], dtype=dtype)
    model = line(optimizer=portanet.optimizers.SGD(0.0))
    (loss,) = model.fit(X, Y, batch_size=3, shuffle=lambda epoch, count: chosen, verbose=0).history["loss"]
    np.testing.assert_allclose(loss, np.mean((model.predict(X) - Y)[chosen] ** 2), rtol=1e-5)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (lambda e, n: [], "non-empty list of integers"),
        (lambda e, n: [0.5], "non-empty list of integers"),
        (lambda e, n: [[0, 1]], r"non-empty list of integers. Received: an array of shape \(1, 2\)"),
        (lambda e, n: [-1, 3], "numbers from 0 to 19. Received: numbers from -1 to 3"),
        (lambda e, n: [0, n], "numbers from 0 to 19. Received: numbers from 0 to 20"),
    ],
)
def test_orders_that_cannot_be(order, message):
    with pytest.raises((ValueError, IndexError), match=message):
        line().fit(X, Y, shuffle=order, verbose=0)


def test_a_map_is_never_loaded_whole(tmp_path):
    big = np.lib.format.open_memmap(tmp_path / "big.npy", mode="w+", dtype="float32", shape=(40_000, 100))
    big[:] = 1.0
    model = portanet.Sequential([portanet.layers.Input((100,)), portanet.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.load(tmp_path / "big.npy", mmap_mode="r"), np.ones((40_000, 1), dtype="float32")
    model.fit(*data, batch_size=500, steps_per_epoch=2, verbose=0)
    gc.collect()
    tracemalloc.start()
    model.fit(*data, batch_size=500, verbose=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.25 * big.nbytes


def test_idx_files_are_read_batch_by_batch(backend, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 4), dtype="uint8")
    (tmp_path / "x").write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 20, 0, 0, 0, 4]) + images.tobytes())
    model = portanet.Sequential([portanet.layers.Input((4,)), portanet.layers.Embedding(256, 2)])
    result = model.predict(map_idx(tmp_path / "x"), batch_size=8)
    np.testing.assert_array_equal(result, model.predict(images, batch_size=8))


@pytest.mark.parametrize("prefetch", [0, 2])
def test_bad_batches_are_refused_when_they_come(backend, prefetch):
    def with_nan():
        yield X[:4], Y[:4]
        yield X[4:8], Y[4:8] * np.nan

    model = line()
    with pytest.raises(ValueError, match="`y` holds NaN or infinity") as caught:
        model.fit(with_nan(), verbose=0, prefetch=prefetch)
    assert caught.value.__notes__ == ["Epoch 1 of 1, batch 2, which was being prepared"]
    assert model.position.batch == 1
    model = line("sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="class numbers from 0 to 0"):
        model.fit(((X[:4], np.asarray([0, 0, 0, k])) for k in (0, 1)), verbose=0, prefetch=prefetch)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: line().fit(Again(), Y), "gives whole batches, so that `y` must be left out"),
        (lambda: line().fit(Again(), validation_split=0.5), "`validation_split` needs arrays"),
        (lambda: line().fit(iter([])), "Argument `x` gave no batches"),
        (lambda: line().fit(iter(Again()), epochs=2), "no batches for epoch 2: an iterator can be passed through once"),
        (lambda: line().fit([(X, Y, Y, Y)].__iter__()), r"batches \(x,\), \(x, y\) or .* Received: tuple of 4 parts"),
        (lambda: line().fit(X, Y, sample_weight=Y[:, 0], class_weight={0: 1.0}), "Only one of"),
        (lambda: line().fit(X, Y, steps_per_epoch=0), "`steps_per_epoch` must be a positive integer"),
        (lambda: line().fit(X, Y, validation_freq=0), "`validation_freq` of fit must be a positive integer"),
        (lambda: line().fit(X, Y, validation_freq=[]), "`validation_freq` of fit must be a positive integer"),
        (lambda: line().fit(X, Y, prefetch=-1), "`prefetch` must be a non-negative integer"),
    ],
)
def test_mistakes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_generator_that_ends_too_soon_says_so():
    with pytest.warns(UserWarning, match="gave 1 batches of steps_per_epoch=4 in epoch 2"):
        line().fit(iter(Again()), steps_per_epoch=4, epochs=2, verbose=0)


def test_no_thread_is_left(backend):
    class Stop(portanet.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    before = threading.active_count()
    line().fit(forever(), steps_per_epoch=100, verbose=0, callbacks=[Stop()])
    with pytest.raises(ZeroDivisionError):
        line().fit(((X / 0 if i else X, Y) if i < 1 else 1 // 0 for i in range(3)), verbose=0)
    assert threading.active_count() == before


def test_class_weights_of_batches(backend):
    kind = (np.arange(20) % 2).astype("float32")[:, None]
    batches = [(X[i : i + 5], kind[i : i + 5]) for i in range(0, 20, 5)]
    expected = line("binary_crossentropy").fit(X, kind, batch_size=5, shuffle=False, class_weight={1: 3.0}, verbose=0)
    result = line("binary_crossentropy").fit(iter(batches), class_weight={1: 3.0}, verbose=0)
    assert result.history == expected.history


def test_validation_data_that_give_batches(backend):
    result = line().fit(X, Y, epochs=2, validation_data=Numbered(), verbose=0).history
    assert result == line().fit(X, Y, epochs=2, validation_data=(X, Y), validation_batch_size=4, verbose=0).history


class Once:
    """An iterable that can be begun again, but has batches only the first time."""

    def __init__(self, count):
        self.count = count

    def __iter__(self):
        count, self.count = self.count, 0
        return iter([(X[:4], Y[:4])] * count)


def test_an_iterable_that_has_nothing_more_ends_the_epoch():
    with pytest.warns(UserWarning, match="gave 3 batches of steps_per_epoch=5 in epoch 1"):
        line().fit(Once(3), steps_per_epoch=5, verbose=0)
    with pytest.raises(ValueError, match="no batches for epoch 2"):
        line().fit(Once(3), steps_per_epoch=3, epochs=2, verbose=0)


def test_epochs_of_an_iterable_end_where_it_does_and_begin_again():
    model = line(optimizer=portanet.optimizers.SGD(0.0))
    with pytest.warns(UserWarning, match="gave 2 batches of steps_per_epoch=3 in epoch 2"):
        seen = model.fit(Again(), steps_per_epoch=3, epochs=3, verbose=0).history["loss"]
    parts = [model.evaluate(X[i : i + 4], Y[i : i + 4], verbose=0) for i in (0, 4, 8, 12, 16)]
    np.testing.assert_allclose(seen, [np.mean(parts[:3]), np.mean(parts[3:]), np.mean(parts[:3])], rtol=1e-6)
