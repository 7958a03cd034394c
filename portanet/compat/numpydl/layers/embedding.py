"""Word embeddings."""

from __future__ import annotations

from typing import Any

from portanet import layers
from portanet.backends import Array, to_host
from portanet.compat.numpydl import initializations
from portanet.compat.numpydl.extending import InputError
from portanet.compat.numpydl.layers.base import Layer, options
from portanet.compat.numpydl.layers.weights import Weight
from portanet.compat.numpydl.utils.random import to_float
from portanet.variables import Variable


class Embedding(Layer):
    """A vector for each integer.

    Args:
        embed_words: Initial vectors, shape (input_size, n_out); None to draw them.
        static: Whether they are frozen; by default they are, as in NumPyDL.
        input_size: Number of words, if vectors are drawn.
        n_out: Size of a vector, if vectors are drawn.
        nb_batch: Batch size, if fixed.
        nb_seq: Length of a sequence, if fixed.
        init: Initializer of the vectors.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Embedding(input_size=10, n_out=3, nb_seq=5), npdl.layers.Flatten()])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 5), dtype="int32")).shape
        (4, 15)
    """

    takes_integers = True
    d_embed_words = Weight("embeddings", grad=True)

    def __init__(
        self,
        embed_words: Any = None,
        static: bool | None = None,
        input_size: int | None = None,
        n_out: int | None = None,
        nb_batch: int | None = None,
        nb_seq: int | None = None,
        init: Any = "uniform",
    ) -> None:
        super().__init__()
        if embed_words is None and (input_size is None or n_out is None):
            raise ValueError(
                "Embedding needs `embed_words`, or `input_size` and `n_out`. "
                f"Received: input_size={input_size}, n_out={n_out}"
            )
        self._initial = embed_words
        self.static = True if static is None else static
        self.size = (input_size, n_out) if embed_words is None else to_host(embed_words).shape
        self.nb_batch = nb_batch
        self.nb_seq = nb_seq
        self.init = initializations.get(init)
        super().connect_to()  # NumPyDL draws the vectors here, and takes inputs before connect_to

    @property
    def embed_words(self) -> Array:
        """The vectors."""
        return self._vectors().value

    @embed_words.setter
    def embed_words(self, value: Any) -> None:
        self._vectors().assign(to_float(value))

    def _vectors(self) -> Variable:
        return next(iter(self.connected().named_variables().values()))

    def connect_to(self, prev_layer: Any = None) -> None:
        """Do nothing: the constructor has created the vectors."""

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        # Batches may have any size.
        return (None, self.nb_seq)

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.Embedding(
            int(self.size[0] or 0),
            int(self.size[1] or 0),
            embeddings_initializer=self.init.for_portanet,
            weights=self._initial,
            trainable=not self.static,
            **options("embedding"),
        )

    def run(self, x: Array, train: bool, **kwargs: Any) -> Any:
        if x.ndim != 2:
            raise InputError(f"Embedding takes inputs of shape (batch, time). Received: {tuple(x.shape)}")
        return super().run(x, train, **kwargs)
