"""Ctrl-C at any moment leaves consistent weights, position and history."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import portanet
from portanet.training.history import uninterrupted
from tests.support import PATIENCE
from tests.training.models import line, rows

X, Y = rows(12)
ROOT = pathlib.Path(portanet.__file__).parent


@pytest.fixture(autouse=True)
def heeded():
    """In a background job, Ctrl-C is initially ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def state(model):
    """Everything that a step updates, as NumPy arrays."""
    leaves = portanet.tree.tree_leaves(model.optimizer_state[1])
    return [*model.get_weights(), *(model.backend.to_host(leaf) for leaf in leaves)]


def train(epochs=2):
    model = line(optimizer="adam")
    return model, lambda: model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0)


def interrupted_after(lines):
    """Train, and send a real SIGINT after n lines of portanet have run; None if training ended before."""
    model, fit = train()
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.startswith(str(ROOT)):
            return None
        if event == "line":
            count += 1
            if count == lines:
                signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        fit()
    except KeyboardInterrupt:
        return model, count
    finally:
        sys.settrace(before)
    return None, count


@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer is at work")
def test_at_every_point_of_the_steps(backend):
    if backend.name == "jax":
        pytest.skip("a compiled step is one call, and its arrays do not change")
    whole, _ = train()
    states = []

    class Keep(portanet.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            states.append(state(self.model))

    curve = whole.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[Keep()]).history["loss"]
    _, total = interrupted_after(0)
    caught = 0
    for lines in range(total // 10, total, max(1, total // 90)):
        model, _ = interrupted_after(lines)
        if model is None:
            continue
        caught += 1
        place = model.position
        done = 3 * place.epoch + place.batch
        if done and model.optimizer_state is not None:
            for result, expected in zip(state(model), states[done - 1], strict=True):
                np.testing.assert_array_equal(result, expected)
        assert np.isfinite(model.predict(X)).all()
        if model.history is not None:
            assert len(model.history.history.get("loss", [])) == place.epoch
        again = model.fit(X, Y, batch_size=4, epochs=2, verbose=0, initial_epoch=place).history["loss"]
        assert again == curve
        if done < 6:
            for result, expected in zip(state(model), states[-1], strict=True):
                np.testing.assert_array_equal(result, expected)
    assert caught > 20


def test_ctrl_c_in_a_process_of_its_own():
    script = """
        import os, signal, threading
        import numpy as np
        import portanet
        portanet.random.set_seed(0)
        x = np.ones((64, 3), dtype="float32")
        model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(1)])
        model.compile("adam", "mse")
        interrupt = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))
        begin = portanet.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epoch == 2 and interrupt.start())
        try:
            model.fit(x, x[:, :1], batch_size=8, epochs=10**6, verbose=0, callbacks=[begin])
        except KeyboardInterrupt:
            assert len(model.history.history["loss"]) == model.position.epoch > 0
            assert np.isfinite(model.predict(x)).all()
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            print("usable")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(ROOT.parent)},
    )  # fmt: skip
    assert done.stdout == "usable\n", done.stderr


def test_a_second_ctrl_c_does_not_wait():
    reached = []

    def step():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            reached.append(1)
            signal.raise_signal(signal.SIGINT)
            reached.append(2)

    with pytest.raises(KeyboardInterrupt):
        step()
    assert reached == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_handlers_and_threads_are_left_alone():
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            assert seen == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
    thread = threading.Thread(target=train(1)[1])
    thread.start()
    thread.join()


def test_a_block_in_another_leaves_the_handler_in_place():
    with uninterrupted():
        handler = signal.getsignal(signal.SIGINT)
        with uninterrupted():
            assert signal.getsignal(signal.SIGINT) is handler
        assert signal.getsignal(signal.SIGINT) is handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
