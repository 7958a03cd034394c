"""Pairs of images and a distance: one embedding called twice, a loss as a closure, ops in a graph."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start

rng = np.random.default_rng(15)
left = rng.random((32, 10, 10, 1)).astype("float32")
right = rng.random((32, 10, 10, 1)).astype("float32")
same = rng.integers(0, 2, 32).astype("float32")


def euclidean_distance(vects):
    x, y = vects
    sum_square = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(sum_square, keras.backend.epsilon()))


def loss(margin=1):
    def contrastive_loss(y_true, y_pred):
        square_pred = ops.square(y_pred)
        margin_square = ops.square(ops.maximum(margin - (y_pred), 0))
        return ops.mean((1 - y_true) * square_pred + (y_true) * margin_square)

    return contrastive_loss


image = layers.Input((10, 10, 1))
x = layers.BatchNormalization()(image)
x = layers.Conv2D(4, (3, 3), activation="tanh")(x)
x = layers.AveragePooling2D(pool_size=(2, 2))(x)
x = layers.Flatten()(x)
x = layers.BatchNormalization()(x)
x = layers.Dense(6, activation="tanh")(x)
embedding_network = keras.Model(image, x)

input_1 = layers.Input((10, 10, 1))
input_2 = layers.Input((10, 10, 1))
tower_1 = embedding_network(input_1)
tower_2 = embedding_network(input_2)
merge_layer = layers.Lambda(euclidean_distance, output_shape=(1,))([tower_1, tower_2])
normal_layer = layers.BatchNormalization()(merge_layer)
output_layer = layers.Dense(1, activation="sigmoid")(normal_layer)
siamese = keras.Model(inputs=[input_1, input_2], outputs=output_layer)
start(siamese)
siamese.compile(loss=loss(margin=1), optimizer="RMSprop", metrics=["accuracy"])
history = siamese.fit([left, right], same, batch_size=8, epochs=2, shuffle=False, verbose=0)

results = {
    "history": history.history,
    "evaluation": siamese.evaluate([left, right], same, verbose=0),
    "predictions": siamese.predict([left[:4], right[:4]], verbose=0),
}
