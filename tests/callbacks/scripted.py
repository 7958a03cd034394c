"""Callbacks on prescribed logs: a model and a callback that only count epochs."""

from portanet.callbacks import Callback
from portanet.metrics import Mean
from portanet.optimizers import SGD
from portanet.training import Position


class Counting(Callback):
    def __init__(self, order=0):
        self.order, self.count = order, 0

    def on_train_begin(self, logs=None):
        self.count = 0

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1

    def get_state(self):
        return {"count": self.count}

    def set_state(self, state):
        self.count = state["count"]


class Script:
    """The parts of a model that callbacks need; its only weight is the number of the epoch."""

    def __init__(self, metrics=(), learning_rate=1.0):
        self.stop_training = False
        self.metrics = [Mean("loss"), *metrics]
        self.metrics_names = [metric.name for metric in self.metrics]
        self.optimizer = SGD(learning_rate)
        self.position = Position()
        self.weights = None

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        (self.weights,) = weights

    def play(self, callback, epochs, state=None):
        """Call the hooks with the logs of some epochs, which are dicts; stop early if the callback requests it."""
        callback.set_model(self)
        try:
            callback.on_train_begin({})
            if state is not None:
                callback.set_state(state)
            for logs in epochs:
                if self.stop_training:
                    break
                epoch = self.weights = self.position.epoch
                callback.on_epoch_begin(epoch, {})
                logs = dict(logs)
                logs = self.position.finish_epoch(logs)
                callback.on_epoch_end(epoch, logs)
        finally:
            callback.on_train_end({})
        return self


def losses(*values, name="val_loss"):
    return [{name: value} for value in values]
