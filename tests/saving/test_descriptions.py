"""Descriptions that a `get_config` of the user makes."""

from __future__ import annotations

import portanet
from portanet import layers, saving


class Around(layers.Layer):
    """A layer that describes another one itself."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x)

    def get_config(self):
        return {**super().get_config(), "inner": saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "inner": saving.deserialize_keras_object(config["inner"])})


def test_a_description_within_another_is_of_layers_of_its_own(backend):
    shared = layers.Dense(4, name="shared")
    x = layers.Input((4,))
    inner = portanet.Model(x, shared(shared(x)))
    model = portanet.Model(x, layers.Dense(2, name="last")(Around(inner, name="around")(x)))
    with saving.custom_object_scope({"Around": Around}):
        again = portanet.Model.from_config(model.get_config())
    assert [(v.path, v.shape) for v in again.weights] == [(v.path, v.shape) for v in model.weights]
