"""Sequences of any length translated: masks made, passed to attention by name, and used by metrics."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start

WORDS, LENGTH, SIZE = 20, 6, 8


class Tokens(layers.Layer):
    """Embeddings of words and of positions; 0 is padding."""

    def __init__(self, **options):
        super().__init__(**options)
        self.words = layers.Embedding(WORDS, SIZE)
        self.positions = layers.Embedding(LENGTH, SIZE)

    def call(self, tokens):
        return self.words(tokens) + self.positions(ops.arange(0, ops.shape(tokens)[-1], 1))

    def compute_mask(self, tokens, mask=None):
        return ops.not_equal(tokens, 0)


class Reader(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.supports_masking = True
        self.attention = layers.MultiHeadAttention(num_heads=2, key_dim=4)
        self.normalized = layers.LayerNormalization()

    def call(self, x, mask=None):
        seen = None if mask is None else ops.cast(mask[:, None, :], "int32")
        return self.normalized(x + self.attention(query=x, value=x, key=x, attention_mask=seen))


class Writer(layers.Layer):
    """Takes two arrays, with two masks; its output has the first."""

    def __init__(self, **options):
        super().__init__(**options)
        self.supports_masking = True
        self.own, self.other = (layers.MultiHeadAttention(num_heads=2, key_dim=4) for _ in range(2))
        self.normalized = layers.LayerNormalization()

    def call(self, inputs, mask=None):
        x, read = inputs
        own_mask, read_mask = (None, None) if mask is None else mask
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        earlier = ops.reshape(ops.arange(length)[:, None] >= ops.arange(length), (1, length, length))
        earlier = ops.tile(earlier, ops.concatenate([ops.expand_dims(batch, -1), ops.convert_to_tensor([1, 1])]))
        x = x + self.own(query=x, value=x, key=x, attention_mask=earlier, query_mask=own_mask)
        x = x + self.other(query=x, value=read, key=read, query_mask=own_mask, key_mask=read_mask)
        return self.normalized(x)


source = keras.Input(shape=(None,), dtype="int64", name="source")
target = keras.Input(shape=(None,), dtype="int64", name="target")
read = Reader()(Tokens()(source))
written = layers.Dropout(0.0)(Writer()([Tokens()(target), read]))
model = keras.Model({"source": source, "target": target}, layers.Dense(WORDS, activation="softmax")(written))
start(model)

rng = np.random.default_rng(0)
words = rng.integers(1, WORDS, (16, LENGTH))
words[::2, 4:] = 0
translated = rng.integers(1, WORDS, (16, LENGTH + 1))
translated[:8, 5:] = 0
data = {"source": words, "target": translated[:, :-1]}
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(ignore_class=0), metrics=["accuracy"])
history = model.fit(data, translated[:, 1:], epochs=2, batch_size=8, verbose=0, shuffle=False)

start_of_sentence = ops.convert_to_tensor(translated[:1, :3])
probabilities = model({"source": ops.convert_to_tensor(words[:1]), "target": start_of_sentence})
results = {
    "history": history.history,
    "next": int(ops.argmax(probabilities[0, -1, :])),
    "predictions": model.predict({name: x[8:10] for name, x in data.items()}, verbose=0),
}
