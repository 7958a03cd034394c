"""Removing noise from images: Conv2DTranspose, targets that are images, binary crossentropy."""

import keras
import numpy as np
from keras import layers

from tests.keras.common import start

rng = np.random.default_rng(4)


def noise(array):
    """Add noise to every image."""
    noisy_array = array + 0.4 * rng.normal(loc=0.0, scale=1.0, size=array.shape)
    return np.clip(noisy_array, 0.0, 1.0)


train_data = rng.random((32, 12, 12, 1)).astype("float32")
noisy_train_data = noise(train_data)

image = layers.Input(shape=(12, 12, 1))
x = layers.Conv2D(8, (3, 3), activation="relu", padding="same")(image)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2DTranspose(8, (3, 3), strides=2, activation="relu", padding="same")(x)
x = layers.Conv2DTranspose(8, (3, 3), strides=2, activation="relu", padding="same")(x)
x = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
autoencoder = keras.Model(image, x)
start(autoencoder)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
first = autoencoder.fit(
    x=train_data,
    y=train_data,
    epochs=2,
    batch_size=16,
    shuffle=False,
    validation_data=(train_data, train_data),
    verbose=0,
)
second = autoencoder.fit(x=noisy_train_data, y=train_data, epochs=2, batch_size=16, shuffle=False, verbose=0)

results = {
    "loss": first.history["loss"] + second.history["loss"],
    "val_loss": first.history["val_loss"],
    "predictions": autoencoder.predict(noisy_train_data[:2], verbose=0),
}
