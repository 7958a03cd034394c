"""Data sets whose batches are made by threads or processes."""

import multiprocessing
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.training.data.workers import fetched


@pytest.fixture(autouse=True)
def start_method() -> Iterator[None]:
    """Processes that are no copies of this one, which may have threads of JAX."""
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method("forkserver", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


class Lines(portanet.utils.PyDataset):
    """Notes where its batches are made."""

    def __init__(self, count=6, **options):
        super().__init__(**options)
        self.count = count
        self.makers = []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.makers.append(threading.current_thread().name)
        x = np.linspace(index, index + 1, 4, dtype="float32")[:, None] / 6
        return x, 2 * x + 1


class Noted(Lines):
    def __getitem__(self, index):
        drawn = np.random.rand()  # noqa: NPY002 -- what data sets do
        return np.asarray([[float(os.getpid()), drawn, index]]), np.ones((1, 1))


class Failing(Lines):
    def __getitem__(self, index):
        if index == 3:
            raise KeyError("batch three")
        return super().__getitem__(index)


class Dying(Lines):
    def __getitem__(self, index):
        os._exit(3)


def curve(data, epochs=3):
    portanet.random.set_seed(1)
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("adam", "mse")
    return model.fit(data, epochs=epochs, verbose=0).history["loss"]


@pytest.mark.parametrize(("workers", "processes"), [(0, False), (3, False), (1, True), (2, True)])
def test_batches_come_in_the_same_order_whoever_makes_them(backend, workers, processes):
    assert curve(Lines(workers=workers, use_multiprocessing=processes)) == curve(Lines())


def test_threads_make_the_batches(backend):
    data = Lines(workers=3, max_queue_size=4)
    curve(data, epochs=1)
    assert len(data.makers) == 7  # the first is looked at before
    assert all(name.startswith("portanet-worker") for name in data.makers[1:])


def test_processes_make_the_batches_and_draw_alike():
    portanet.random.set_seed(3)
    runs = []
    for workers in (1, 2):
        parts = list(fetched(Noted(), range(6), workers, True, 3, epoch=1))
        table = np.concatenate([x for x, _ in parts])
        assert os.getpid() not in table[:, 0]
        assert table[:, 2].tolist() == [0, 1, 2, 3, 4, 5]
        assert len({*table[:, 1]}) == 6
        runs.append(table[:, 1])
    np.testing.assert_array_equal(*runs)
    other = [x[0, 1] for x, _ in fetched(Noted(), range(6), 2, True, 3, epoch=2)]
    assert not set(other) & {*runs[0]}


@pytest.mark.parametrize("processes", [False, True])
def test_errors_are_carried_over(processes):
    data = Failing(workers=2, use_multiprocessing=processes)
    with pytest.raises(KeyError, match="batch three"):
        curve(data)


def test_a_process_that_ends_is_an_error():
    with pytest.raises(RuntimeError, match=r"makes batches of Dying ended on its own.*use_multiproc.*0 batch"):
        list(fetched(Dying(), range(4), 2, True, 3, epoch=0))


class Stopping(Lines):
    def __init__(self, at, **options):
        super().__init__(4, **options)
        self.at = at

    def __getitem__(self, index):
        return next(iter([])) if index == self.at else super().__getitem__(index)


@pytest.mark.parametrize("options", [{}, {"workers": 2}, {"workers": 1, "use_multiprocessing": True}], ids=str)
@pytest.mark.parametrize("at", [0, 2])
def test_a_data_set_does_not_end_where_a_batch_is_missing(options, at):
    with pytest.raises(RuntimeError, match=rf"of Stopping must return batch {at}: the length.*Received: StopIteration"):
        curve(Stopping(at, **options))
    with pytest.raises(RuntimeError, match=rf"of Stopping must return batch {at}"):
        list(Stopping(at))


def test_no_more_than_the_queue_is_made_in_advance():
    data = Lines(count=50)
    batches = fetched(data, range(50), 2, False, ahead=5, epoch=0)
    next(batches)
    batches.close()
    assert len(data.makers) <= 6


def test_a_data_set_without_end_needs_steps(backend):
    class Endless(portanet.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return np.full((2, 1), 1.0 / (1 + index), "float32"), np.ones((2, 1), "float32")

    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(Endless(), epochs=2, steps_per_epoch=3, verbose=0)
    assert len(history.history["loss"]) == 2
    assert len(list(Lines())) == 6


def test_a_batch_size_for_what_gives_batches_does_not_matter(backend):
    portanet.random.set_seed(1)
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("adam", "mse")
    assert model.fit(Lines(), batch_size=64, epochs=3, verbose=0).history["loss"] == curve(Lines())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": -1}, "`workers` of Lines"),
        ({"use_multiprocessing": 1}, "`use_multiprocessing` of Lines must be True or False"),
        ({"max_queue_size": -1}, "`max_queue_size` of Lines"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Lines(**options)
