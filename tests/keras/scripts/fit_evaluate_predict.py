"""Training with the built-in methods: custom losses and metrics, weights of examples and classes, schedules."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start

rng = np.random.default_rng(7)
x_train = rng.random((64, 20)).astype("float32")
y_train = rng.integers(0, 5, 64).astype("float32")
x_val, y_val = x_train[-16:], y_train[-16:]
x_train, y_train = x_train[:-16], y_train[:-16]


def get_uncompiled_model():
    inputs = keras.Input(shape=(20,), name="digits")
    x = layers.Dense(8, activation="relu", name="dense_1")(inputs)
    x = layers.Dense(8, activation="relu", name="dense_2")(x)
    outputs = layers.Dense(5, activation="softmax", name="predictions")(x)
    model = keras.Model(inputs=inputs, outputs=outputs)
    start(model)
    return model


def custom_mean_squared_error(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


class CustomMSE(keras.losses.Loss):
    def __init__(self, regularization_factor=0.1, name="custom_mse"):
        super().__init__(name=name)
        self.regularization_factor = regularization_factor

    def call(self, y_true, y_pred):
        mse = ops.mean(ops.square(y_true - y_pred), axis=-1)
        reg = ops.mean(ops.square(0.5 - y_pred), axis=-1)
        return mse + reg * self.regularization_factor


class CategoricalTruePositives(keras.metrics.Metric):
    def __init__(self, name="categorical_true_positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.true_positives = self.add_variable(shape=(), name="ctp", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = ops.reshape(ops.argmax(y_pred, axis=1), (-1, 1))
        values = ops.cast(ops.reshape(y_true, (-1, 1)), "int32") == ops.cast(y_pred, "int32")
        values = ops.cast(values, "float32")
        if sample_weight is not None:
            values = ops.multiply(values, ops.cast(ops.reshape(sample_weight, (-1, 1)), "float32"))
        self.true_positives.assign_add(ops.sum(values))

    def result(self):
        return ops.add(self.true_positives, 0.0)

    def reset_state(self):
        self.true_positives.assign(0.0)


model = get_uncompiled_model()
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=[keras.metrics.SparseCategoricalAccuracy(), CategoricalTruePositives()],
)
history = model.fit(x_train, y_train, batch_size=16, epochs=2, validation_data=(x_val, y_val), shuffle=False, verbose=0)
evaluation = model.evaluate(x_val, y_val, batch_size=8, verbose=0, return_dict=True)

y_one_hot = ops.one_hot(y_train.astype("int32"), num_classes=5)
losses = []
for loss in (custom_mean_squared_error, CustomMSE()):
    model = get_uncompiled_model()
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss)
    losses.append(
        model.fit(x_train, np.asarray(y_one_hot), batch_size=16, epochs=1, shuffle=False, verbose=0).history["loss"]
    )

class_weight = {0: 1.0, 1: 1.0, 2: 2.0, 3: 1.0, 4: 0.5}
model = get_uncompiled_model()
model.compile("rmsprop", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
weighted = model.fit(x_train, y_train, class_weight=class_weight, batch_size=16, epochs=1, shuffle=False, verbose=0)
sample_weight = np.ones(shape=(len(y_train),))
sample_weight[y_train == 3] = 2.0
sampled = model.fit(x_train, y_train, sample_weight=sample_weight, batch_size=16, epochs=1, shuffle=False, verbose=0)

lr_schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.96, staircase=True)
model = get_uncompiled_model()
model.compile(keras.optimizers.SGD(learning_rate=lr_schedule), "sparse_categorical_crossentropy")
callbacks = [keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=1e-2, patience=1, verbose=0)]
stopped = model.fit(
    x_train, y_train, epochs=8, batch_size=16, callbacks=callbacks, validation_split=0.25, shuffle=False, verbose=0
)

results = {
    "history": history.history,
    "evaluation": evaluation,
    "losses": losses,
    "weighted": weighted.history,
    "sampled": sampled.history,
    "stopped": stopped.history,
    "rate": float(np.asarray(lr_schedule(5))),
}
