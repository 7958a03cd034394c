"""Forecasting from windows of a series: a PyDataset, LSTM, callbacks that save the best weights."""

import os
import tempfile

import keras
import numpy as np

from tests.keras.common import start

rng = np.random.default_rng(11)
series = np.stack([np.sin(np.arange(80) / 5), np.cos(np.arange(80) / 7), rng.random(80)], axis=-1)
features = ((series - series.mean(axis=0)) / series.std(axis=0)).astype("float32")
past, future, step = 12, 3, 2


class Windows(keras.utils.PyDataset):
    def __init__(self, features, targets, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.features, self.targets, self.batch_size = features, targets, batch_size
        self.starts = np.arange(len(features) - past + 1)

    def __len__(self):
        return -(-len(self.starts) // self.batch_size)

    def __getitem__(self, index):
        starts = self.starts[index * self.batch_size : (index + 1) * self.batch_size]
        x = np.stack([self.features[start : start + past : step] for start in starts])
        return x, self.targets[starts]


dataset_train = Windows(features[:60], features[past + future : past + future + 60, 0], 8)
dataset_val = Windows(features[40:65], features[50:75, 1], 8)
inputs, targets = dataset_train[0]

inputs_layer = keras.layers.Input(shape=(inputs.shape[1], inputs.shape[2]))
lstm_out = keras.layers.LSTM(6)(inputs_layer)
outputs = keras.layers.Dense(1)(lstm_out)
model = keras.Model(inputs=inputs_layer, outputs=outputs)
start(model)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mse")
path = os.path.join(tempfile.mkdtemp(), "model_checkpoint.weights.h5")
es_callback = keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0, patience=5)
modelckpt_callback = keras.callbacks.ModelCheckpoint(
    monitor="val_loss", filepath=path, verbose=0, save_weights_only=True, save_best_only=True
)
history = model.fit(
    dataset_train,
    epochs=3,
    validation_data=dataset_val,
    callbacks=[es_callback, modelckpt_callback],
    shuffle=False,
    verbose=0,
)
model.load_weights(path)

results = {
    "inputs": np.asarray(inputs),
    "targets": np.asarray(targets),
    "loss": history.history["loss"],
    "val_loss": history.history["val_loss"],
    "best": model.evaluate(dataset_val, verbose=0),
}
