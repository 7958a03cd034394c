"""Event files, read back by TensorBoard itself."""

import sys

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import TensorBoard
from tests.callbacks.scripted import Script

event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

X, Y = np.ones((8, 3), dtype="float32"), np.ones((8, 1), dtype="float32")


def read(folder):
    result = event_accumulator.EventAccumulator(str(folder), {"histograms": 0})
    result.Reload()
    return result


def scalars(folder, tag):
    return {event.step: event.value for event in read(folder).Scalars(tag)}


def test_curves_and_histograms(backend, tmp_path):
    made = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    board = TensorBoard(tmp_path, histogram_freq=1, update_freq=2)
    history = made.fit(
        X, Y, batch_size=2, epochs=2, verbose=0, validation_data=(X, Y), shuffle=False, callbacks=[board]
    ).history
    for folder, name in (("train", "loss"), ("validation", "val_loss")):
        result = scalars(tmp_path / folder, "epoch_loss")
        np.testing.assert_allclose([result[0], result[1]], history[name], rtol=1e-6)
    batches = scalars(tmp_path / "batches", "batch_loss")
    assert list(batches) == [0, 2, 4, 6]
    assert batches[0] > history["loss"][0] > batches[4]
    (_, latest) = read(tmp_path / "train").Histograms("dense/kernel/histogram")
    kernel = made.get_weights()[0]
    assert latest.step == 1
    assert (latest.histogram_value.num, latest.histogram_value.max) == (3, pytest.approx(kernel.max()))


def test_figures_of_several_numbers(tmp_path):
    Script().play(TensorBoard(tmp_path), [{"loss": 1.0, "f1": np.asarray([0.5, 0.25])}])
    assert scalars(tmp_path / "train", "epoch_f1/1") == {0: 0.25}


def test_a_resumed_run_replaces_what_came_after_the_checkpoint(tmp_path):
    epochs = [{"loss": 3.0}, {"loss": 2.0}, {"loss": 1.0}]
    first, board = Script(), TensorBoard(tmp_path)
    first.play(board, epochs[:2])
    second = Script()
    second.position.epoch = 1
    second.play(TensorBoard(tmp_path), [{"loss": 2.5}, {"loss": 1.5}], board.get_state())
    assert scalars(tmp_path / "train", "epoch_loss") == {0: 3.0, 1: 2.5, 2: 1.5}


def test_without_the_library(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"needs tensorboardX. Type: pip install .*\[tensorboard\]'"):
        Script().play(TensorBoard(tmp_path), [])


@pytest.mark.parametrize("options", [{"update_freq": "step"}, {"update_freq": 0}, {"histogram_freq": -1}])
def test_bad_arguments(options):
    with pytest.raises(ValueError, match=rf"`{next(iter(options))}` of TensorBoard must be .* Received: "):
        TensorBoard(**options)


def test_arguments_of_keras(tmp_path):
    made = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    board = TensorBoard(tmp_path, 0, True, True, True, "epoch", (1, 2), embeddings_metadata="words.tsv")
    with pytest.warns(UserWarning, match=r"Received: profile_batch, write_images, embeddings_metadata"):
        made.fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[board])
    speeds = scalars(tmp_path / "train", "epoch_steps_per_second")
    assert list(speeds) == [0, 1]
    assert all(speed > 0 for speed in speeds.values())
