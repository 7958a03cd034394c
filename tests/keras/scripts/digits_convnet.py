"""A small convnet for images of digits: Sequential, augmentation left out, evaluation."""

import keras
import numpy as np
from keras import layers

from tests.keras.common import start

rng = np.random.default_rng(0)
num_classes = 10
input_shape = (12, 12, 1)
x_train = rng.integers(0, 256, (96, 12, 12)).astype("float32") / 255
y_labels = rng.integers(0, num_classes, 96)
x_train = np.expand_dims(x_train, -1)
y_train = keras.utils.to_categorical(y_labels, num_classes)

model = keras.Sequential(
    [
        keras.Input(shape=input_shape),
        layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(16, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Flatten(),
        layers.Dropout(0.0),
        layers.Dense(num_classes, activation="softmax"),
    ]
)
start(model)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=3, validation_split=0.25, shuffle=False, verbose=0)
score = model.evaluate(x_train, y_train, verbose=0)

results = {
    "loss": history.history["loss"],
    "val_loss": history.history["val_loss"],
    "val_accuracy": history.history["val_accuracy"],
    "score": score,
    "predictions": model.predict(x_train[:5], verbose=0),
    "parameters": model.count_params(),
}
