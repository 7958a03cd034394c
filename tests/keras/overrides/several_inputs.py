"""Subclasses of layers that take several arrays, whose `call` takes them one by one."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from tests.keras.overrides.cases import Seen, case, plain

SEQUENCES = np.linspace(-1.0, 1.0, 24, dtype="float32").reshape(2, 4, 3)
STATE = np.ones((2, 2), dtype="float32")


def with_known_weights(layer: Any) -> Any:
    """The same layer or model, with weights that are neither alike nor random."""
    layer.set_weights([np.sin(np.arange(w.size, dtype="float32")).reshape(w.shape) for w in layer.get_weights()])
    return layer


@case("LSTM", "call")
def lstm(library: Any, seen: Seen, _: pathlib.Path) -> Any:
    class Doubled(library.layers.LSTM):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            seen("call")
            return super().call(sequences * 2, initial_state=initial_state, mask=mask, training=training)

    x, state = map(library.ops.convert_to_tensor, (SEQUENCES, STATE))
    layer = Doubled(2, return_sequences=True)
    layer.build((None, 4, 3))
    with_known_weights(layer)
    masked = library.Sequential([library.Input((4, 3)), library.layers.Masking(SEQUENCES[0, 0, 0]), Doubled(2)])
    inputs = library.Input((4, 3))
    model = library.Model(inputs, layer(inputs))
    model.compile("sgd", "mse")
    loss = model.train_on_batch(SEQUENCES, np.ones((2, 4, 2), dtype="float32"))
    return plain(library, [layer(x), layer(x, initial_state=[state, state]), with_known_weights(masked)(x), loss])


@case("GRU", "call, by position")
def gru(library: Any, seen: Seen, _: pathlib.Path) -> Any:
    class Raised(library.layers.GRU):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            seen("call")
            return super().call(sequences, initial_state, mask, training) + 1.0

    x, state = map(library.ops.convert_to_tensor, (SEQUENCES, STATE))
    layer = Raised(2)
    layer.build((None, 4, 3))
    with_known_weights(layer)
    mask = library.ops.convert_to_tensor(SEQUENCES[:, :, 0] < 0.5)
    return plain(library, [layer(x, mask=mask), layer(x, initial_state=state)])


@case("Bidirectional", "call")
def bidirectional(library: Any, seen: Seen, _: pathlib.Path) -> Any:
    class Scaled(library.layers.Bidirectional):
        def call(self, sequences, initial_state=None, mask=None, training=None):
            seen("call")
            return super().call(sequences, initial_state=initial_state, mask=mask) * 3.0

    layer = Scaled(library.layers.SimpleRNN(2))
    layer.build((None, 4, 3))
    x, state = map(library.ops.convert_to_tensor, (SEQUENCES, STATE))
    return plain(library, [with_known_weights(layer)(x), layer(x, initial_state=[state, state])])


@case("MultiHeadAttention", "call")
def attention(library: Any, seen: Seen, _: pathlib.Path) -> Any:
    class Causal(library.layers.MultiHeadAttention):
        def call(
            self,
            query,
            value,
            key=None,
            query_mask=None,
            value_mask=None,
            key_mask=None,
            attention_mask=None,
            return_attention_scores=False,
            training=None,
            use_causal_mask=True,
        ):
            seen("call")
            assert (query_mask is None) == (value_mask is None)
            masks = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
            out, self.scores = super().call(
                query, value, key, **masks, return_attention_scores=True, use_causal_mask=use_causal_mask
            )
            return out

    layer, x = Causal(2, 3), library.ops.convert_to_tensor(SEQUENCES)
    layer(x, x)
    results = [with_known_weights(layer)(x, x), layer.scores, layer(query=x, value=x[:, :3], use_causal_mask=False)]
    words = library.Input((4,), dtype="int32")
    vectors = library.layers.Embedding(5, 3, mask_zero=True)(words)
    model = with_known_weights(library.Model(words, Causal(2, 3)(vectors, vectors)))
    numbers = library.ops.convert_to_tensor(np.array([[1, 2, 0, 0], [3, 1, 2, 4]], dtype="int32"))
    return plain(library, [*results, model(numbers)])
