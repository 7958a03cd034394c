"""Recommendations: a subclassed model with embeddings of users and items, indices and dot products by ops."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start


class RecommenderNet(keras.Model):
    def __init__(self, num_users, num_movies, embedding_size, **kwargs):
        super().__init__(**kwargs)
        self.num_users = num_users
        self.user_embedding = layers.Embedding(
            num_users,
            embedding_size,
            embeddings_initializer="he_normal",
            embeddings_regularizer=keras.regularizers.l2(1e-6),
        )
        self.user_bias = layers.Embedding(num_users, 1)
        self.movie_embedding = layers.Embedding(
            num_movies,
            embedding_size,
            embeddings_initializer="he_normal",
            embeddings_regularizer=keras.regularizers.l2(1e-6),
        )
        self.movie_bias = layers.Embedding(num_movies, 1)

    def call(self, inputs):
        user_vector = self.user_embedding(inputs[:, 0])
        user_bias = self.user_bias(inputs[:, 0])
        movie_vector = self.movie_embedding(inputs[:, 1])
        movie_bias = self.movie_bias(inputs[:, 1])
        dot_user_movie = ops.sum(user_vector * movie_vector, axis=1, keepdims=True)
        x = dot_user_movie + user_bias + movie_bias
        return ops.nn.sigmoid(x)


rng = np.random.default_rng(14)
x = np.stack([rng.integers(0, 9, 48), rng.integers(0, 7, 48)], axis=1)
y = rng.random(48)

model = RecommenderNet(9, 7, 4)
model(ops.convert_to_tensor(x[:2]))
start(model)
model.compile(loss=keras.losses.BinaryCrossentropy(), optimizer=keras.optimizers.Adam(learning_rate=0.01))
history = model.fit(x=x, y=y, batch_size=16, epochs=3, verbose=0, shuffle=False, validation_data=(x[:10], y[:10]))
ratings = model.predict(x[:6], verbose=0).flatten()
top = ratings.argsort()[-3:][::-1]

results = {"history": history.history, "ratings": ratings, "top": top}
