"""Saving during training, and resuming: a run interrupted anywhere continues as if nothing had happened."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers, schedules
from portanet.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from portanet.saving import LoadError, load_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(26, 6)).astype("float32")
Y = (X[:, :3].argmax(axis=1)).astype("int32")
EPOCHS, BATCH = 5, 4  # 7 batches in an epoch, the last of 2 examples

OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=4),
    "schedule": lambda: optimizers.SGD(schedules.CosineDecay(0.1, 30), momentum=0.9, gradient_noise=0.01),
    "accumulation": lambda: optimizers.AdamW(0.01, gradient_accumulation_steps=3, clipnorm=1.0),
    "lookahead": lambda: optimizers.Lookahead(optimizers.RMSprop(0.01, centered=True), sync_period=3),
    "curvature": lambda: optimizers.ESGD(0.01, update_frequency=2),
}


class Killed(BaseException):
    """Nothing in the library may catch this and clean up."""


class KillAt(Callback):
    """Stops training after n batches, before or after the other callbacks' hooks for the batch."""

    def __init__(self, batches, order):
        self.batches, self.order, self.seen = batches, order, 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.batches:
            raise Killed


def network(optimizer="adam"):
    model = portanet.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.GaussianNoise(0.1),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile(OPTIMIZERS[optimizer](), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(model, folder, save_freq, *further):
    """The script: the same for a first run and a resumed one."""
    constant = not callable(model.optimizer.rates)
    callbacks = [
        BackupAndRestore(folder / "backup", save_freq),
        *([ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05)] if constant else []),
        *([LearningRateScheduler(lambda epoch, rate: 0.9 * rate)] if constant else []),
        EarlyStopping("val_loss", patience=4, restore_best_weights=True),
        ModelCheckpoint(folder / "{epoch}-{batch}", save_freq=5, keep=2),
        CSVLogger(folder / "log.csv"),
        *further,
    ]
    return model.fit(
        X, Y, batch_size=BATCH, epochs=EPOCHS, verbose=0, validation_data=(X[:8], Y[:8]), callbacks=callbacks
    ).history


def outcome(model, history, folder):
    checkpoints = [c for c in model.callbacks.callbacks if isinstance(c, ModelCheckpoint)]
    kept = [file.rpartition("/")[2] for file in checkpoints[0].files]
    weights = {path: variable.numpy() for path, variable in model.named_variables().items()}
    return history, weights, (folder / "log.csv").read_text(), kept


def assert_same(result, expected):
    assert result[0] == expected[0]
    assert result[2:] == expected[2:]
    for path, values in expected[1].items():
        np.testing.assert_array_equal(result[1][path], values, err_msg=path)


def stopped_and_resumed(folder, optimizer, save_freq, moments, order=0):
    """A run that is interrupted repeatedly after n batches, each time in a process with another seed."""
    for seed, batches in enumerate(moments):
        portanet.random.set_seed(3 if seed == 0 else 100 + seed)
        with pytest.raises(Killed):
            train(network(optimizer), folder, save_freq, KillAt(batches, order))
    portanet.random.set_seed(99)
    model = network(optimizer)
    return outcome(model, train(model, folder, save_freq), folder)


def uninterrupted(folder, optimizer, save_freq):
    portanet.random.set_seed(3)
    model = network(optimizer)
    return outcome(model, train(model, folder, save_freq), folder)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, optimizer):
    for save_freq in ("epoch", 3):
        expected = uninterrupted(tmp_path / f"whole-{save_freq}", optimizer, save_freq)
        result = stopped_and_resumed(tmp_path / f"parts-{save_freq}", optimizer, save_freq, (10, 5, 9), order=9)
        assert_same(result, expected)


def test_on_every_backend(backend, tmp_path):
    expected = uninterrupted(tmp_path / "whole", "adam", 3)
    assert_same(stopped_and_resumed(tmp_path / "parts", "adam", 3, (10, 5)), expected)


@pytest.mark.parametrize("order", [-1, 9])  # before and after the other callbacks' hooks
def test_wherever_it_is_stopped(tmp_path, order):
    expected = uninterrupted(tmp_path / "whole", "adam", 3)
    for batches in range(4, 7 * EPOCHS, 3):
        assert_same(stopped_and_resumed(tmp_path / str(batches), "adam", 3, (batches,), order), expected)


def test_a_run_that_had_ended_stays_ended(tmp_path):
    """Interrupted after the last checkpoint, when early stopping had been decided but training had not ended."""

    class KillAfter(Callback):
        order = 9

        def on_epoch_end(self, epoch, logs=None):
            if self.model.stop_training:
                raise Killed

    def run(folder, *further):
        model = network()
        stop = EarlyStopping("accuracy", mode="min", patience=0)
        backup = BackupAndRestore(folder, delete_checkpoint=False)
        return model.fit(X, Y, epochs=EPOCHS, verbose=0, callbacks=[backup, stop, *further]).history

    expected = run(tmp_path / "whole")
    assert len(expected["loss"]) < EPOCHS
    with pytest.raises(Killed):
        run(tmp_path / "parts", KillAfter())
    portanet.random.set_seed(8)
    assert len(run(tmp_path / "parts")["loss"]) == len(expected["loss"])


def test_the_backup_goes_when_training_has_ended_and_stays_when_it_was_stopped(tmp_path):
    with pytest.raises(Killed):
        train(network(), tmp_path, 3, KillAt(9, 0))
    left = tmp_path / "backup" / ".state.safetensors.0123abcd.part"
    left.write_bytes(b"half a file")
    assert (tmp_path / "backup" / "state.safetensors").exists()
    train(network(), tmp_path, 3)
    assert not (tmp_path / "backup").exists()


def test_a_backup_of_another_model_is_refused(tmp_path):
    with pytest.raises(Killed):
        train(network(), tmp_path, 3, KillAt(9, 0))
    model = network("lookahead")
    before = model.get_weights()
    with pytest.raises(LoadError, match="its optimizer's state is not that of Lookahead"):
        train(model, tmp_path, 3)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_a_loaded_checkpoint_goes_on_in_the_middle_of_an_epoch(tmp_path):
    def callbacks():
        return [ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.5)]

    options = {"batch_size": BATCH, "epochs": 4, "verbose": 0}
    portanet.random.set_seed(3)
    whole = network()
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=11)
    expected = whole.fit(X, Y, callbacks=[*callbacks(), checkpoint], **options).history
    portanet.random.set_seed(5)
    loaded = load_model(tmp_path / "2-4")
    assert (loaded.position.epoch, loaded.position.batch) == (1, 4)
    result = loaded.fit(X, Y, initial_epoch=loaded.position, callbacks=callbacks(), **options).history
    assert result == expected
    np.testing.assert_array_equal(loaded.predict(X), whole.predict(X))


def saved(folder, values, name="{epoch}", **options):
    """The callback and the file names after a run in which `loss` took these values."""
    model, callback = network(), ModelCheckpoint(folder / name, "loss", **options)
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        logs = {"loss": value}
        model.position.finish_epoch(logs)
        callback.on_epoch_end(epoch, logs)
    return callback, sorted(path.name for path in folder.iterdir())


def test_files_of_every_epoch(tmp_path):
    assert saved(tmp_path, (3.0, 1.0, 2.0), "{epoch:02d}-{loss:.1f}")[1] == ["01-3.0", "02-1.0", "03-2.0"]


def test_the_best_alone(tmp_path):
    callback, names = saved(tmp_path, (3.0, 1.0, 2.0, 0.5), save_best_only=True)
    assert (names, callback.best) == (["1", "2", "4"], 0.5)


def test_the_best_must_be_better_than_a_threshold(tmp_path):
    options = {"save_best_only": True, "initial_value_threshold": 1.5, "mode": "max"}
    assert saved(tmp_path, (1.0, 3.0, 2.0), **options)[1] == ["2"]


def test_nan_is_never_the_best_value(tmp_path, capsys):
    nan = float("nan")
    callback, names = saved(tmp_path, (nan, 3.0, nan, 2.0), save_best_only=True, verbose=1)
    assert (names, callback.best) == (["2", "4"], 2.0)
    assert "epoch 1: loss did not improve from nothing" in capsys.readouterr().out


def test_the_last_of_the_best_are_kept(tmp_path):
    (tmp_path / "0").write_text("not of this run")
    assert saved(tmp_path, (5.0, 4.0, 6.0, 3.0, 2.0), save_best_only=True, keep=2)[1] == ["0", "4", "5"]


def test_one_file_that_is_replaced(tmp_path):
    callback, names = saved(tmp_path / "new" / "folder", (2.0, 1.0), "last", keep=1)
    assert (names, len(callback.files)) == (["last"], 1)


def test_weights_alone(tmp_path):
    saved(tmp_path, (1.0,), save_weights_only=True)
    other = network()
    other.load_weights(tmp_path / "1")
    with pytest.raises(LoadError, match="it holds no model"):
        load_model(tmp_path / "1")


def test_what_is_done_is_told(tmp_path, capsys):
    saved(tmp_path, (1.0, 2.0), save_best_only=True, verbose=1)
    assert capsys.readouterr().out.splitlines() == [
        f"ModelCheckpoint: epoch 1: saving {tmp_path}/1",
        "ModelCheckpoint: epoch 2: loss did not improve from 1.00000",
    ]


def test_without_the_quantity_every_epoch_is_saved(tmp_path):
    model, callback = network(), ModelCheckpoint(tmp_path / "{epoch}", "loss", save_best_only=True)
    callback.set_model(model)
    model.position.finish_epoch({})
    with pytest.warns(UserWarning, match="monitors 'loss', which is not available"):
        callback.on_epoch_end(0, {"accuracy": 1.0})
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModelCheckpoint("m", save_freq=0), "`save_freq` of ModelCheckpoint must be a positive integer"),
        (lambda: ModelCheckpoint("m", keep=0), "`keep` of ModelCheckpoint must be a positive integer"),
        (
            lambda: BackupAndRestore("b", save_freq="batch"),
            "`save_freq` of BackupAndRestore must be a positive integer",
        ),
        (lambda: BackupAndRestore(""), "`backup_dir` of BackupAndRestore must be a path"),
        (
            lambda: saved(pathlib.Path("/tmp"), (1.0,), "{lost}"),
            "names 'lost', which is not available; available are",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_damaged_state_leaves_the_one_before(tmp_path: pathlib.Path) -> None:
    model = network()
    resume = BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[resume])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["previous.safetensors", "state.safetensors"]
    resume.path.write_bytes(resume.path.read_bytes()[:100])
    again = network()
    with pytest.warns(UserWarning, match="resumes from the state before the last: "):
        again.fit(X, Y, epochs=3, verbose=0, callbacks=[resume])
    assert len(again.position.history["loss"]) == 3  # the first epoch is of the earlier run
    resume.path.unlink()
    third = network()
    third.fit(X, Y, epochs=3, verbose=0, callbacks=[resume])
    np.testing.assert_array_equal(third.get_weights()[0], again.get_weights()[0])
    resume.previous.unlink()
    resume.path.write_bytes(b"")
    with pytest.raises(portanet.saving.LoadError):
        network().fit(X, Y, epochs=3, verbose=0, callbacks=[resume])
    assert BackupAndRestore(tmp_path, delete_checkpoint=True, double_checkpoint=True).backup_dir == str(tmp_path)
