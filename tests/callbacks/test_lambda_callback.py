import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import LambdaCallback


def test_functions_are_called_with_keras_arguments():
    seen = []
    made = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    callback = LambdaCallback(
        on_train_begin=lambda logs: seen.append("begin"),
        on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
        on_train_batch_end=lambda batch, logs: seen.append(batch),
    )
    made.fit(np.ones((4, 3)), np.ones((4, 1)), batch_size=2, verbose=0, callbacks=[callback])
    assert seen == ["begin", 0, 1, (0, ["loss"])]


def test_unknown_moments_are_refused():
    with pytest.raises(TypeError, match=r"supports the hooks on_train_begin, .* Received: on_epoch_stop=<function"):
        LambdaCallback(on_epoch_stop=lambda: None)


def test_other_arguments_become_attributes():
    assert LambdaCallback(on_train_end=print, tag="mine").tag == "mine"
