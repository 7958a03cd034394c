"""Callbacks of one's own: the order of calls, stopping at the minimum, learning rates set between epochs."""

import keras
import numpy as np
from keras import layers

from tests.keras.common import start

rng = np.random.default_rng(8)
x, y = rng.random((24, 6)).astype("float32"), rng.random((24, 1)).astype("float32")


def get_model():
    model = keras.Sequential()
    model.add(layers.Dense(1, input_dim=6))
    start(model)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.1),
        loss="mean_squared_error",
        metrics=["mean_absolute_error"],
    )
    return model


class CustomCallback(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append(("train begin", sorted((logs or {}).keys())))

    def on_train_end(self, logs=None):
        self.seen.append(("train end", sorted(logs.keys())))

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(("epoch begin", epoch))

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(("epoch end", epoch, sorted(logs.keys())))

    def on_test_end(self, logs=None):
        self.seen.append(("test end", sorted(logs.keys())))

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(("batch end", batch, sorted(logs.keys())))

    def on_predict_batch_begin(self, batch, logs=None):
        self.seen.append(("predict batch begin", batch))


class EarlyStoppingAtMinLoss(keras.callbacks.Callback):
    def __init__(self, patience=0):
        super().__init__()
        self.patience = patience
        self.best_weights = None

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = np.inf

    def on_epoch_end(self, epoch, logs=None):
        current = logs.get("loss")
        if np.less(current, self.best):
            self.best = current
            self.wait = 0
            self.best_weights = self.model.get_weights()
        else:
            self.wait += 1
            if self.wait >= self.patience:
                self.stopped_epoch = epoch
                self.model.stop_training = True
                self.model.set_weights(self.best_weights)


class CustomLearningRateScheduler(keras.callbacks.Callback):
    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule
        self.rates = []

    def on_epoch_begin(self, epoch, logs=None):
        lr = self.model.optimizer.learning_rate
        scheduled_lr = self.schedule(epoch, float(np.asarray(lr)))
        self.model.optimizer.learning_rate = scheduled_lr
        self.rates.append(float(np.asarray(self.model.optimizer.learning_rate)))


model = get_model()
watcher = CustomCallback()
model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_split=0.5, shuffle=False, callbacks=[watcher])
model.evaluate(x, y, batch_size=12, verbose=0, callbacks=[watcher])
model.predict(x, batch_size=12, verbose=0, callbacks=[watcher])

model = get_model()
stopper = EarlyStoppingAtMinLoss()
stopped = model.fit(x, y, batch_size=8, epochs=20, verbose=0, shuffle=False, callbacks=[stopper])

model = get_model()
scheduler = CustomLearningRateScheduler(lambda epoch, lr: 0.05 if epoch == 1 else lr)
scheduled = model.fit(x, y, batch_size=8, epochs=3, verbose=0, shuffle=False, callbacks=[scheduler])

results = {
    "seen": [str(event) for event in watcher.seen],
    "stopped": stopped.history,
    "epoch": stopper.stopped_epoch,
    "rates": scheduler.rates,
    "scheduled": scheduled.history,
}
