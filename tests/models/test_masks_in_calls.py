"""A layer finds the mask of an array that another layer returned, in a `call` that passes none."""

import gc
import weakref

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.layers import calling
from portanet.masks import mask_of
from tests.support import assert_close, to_numpy

WORDS = np.asarray([[1, 2, 0], [3, 0, 0]])


class Probe(layers.Layer):
    """Records the mask that it is called with."""

    supports_masking = True

    def call(self, x, mask=None):
        self.seen = mask
        return x + 0.0


class Body(portanet.Model):
    def __init__(self, *parts):
        super().__init__()
        self.parts = list(parts)

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


def words():
    return layers.Embedding(5, 2, mask_zero=True)


def test_the_mask_is_found(backend):
    probe, last = Probe(), Probe()
    body = Body(
        words(), layers.Dropout(0.5), probe, portanet.Sequential([layers.Dense(2)]), Body(layers.Dense(3)), last
    )
    body(portanet.asarray(WORDS, "int32"))
    for each in (probe, last):
        np.testing.assert_array_equal(to_numpy(each.seen), WORDS != 0)


def test_a_cast_array_keeps_its_mask(backend):
    probe = Probe(dtype="float64")
    Body(words(), Body(probe))(portanet.asarray(WORDS, "int32"))
    np.testing.assert_array_equal(to_numpy(probe.seen), WORDS != 0)


def test_several_arrays(backend):
    class Both(layers.Layer):
        def __init__(self):
            super().__init__()
            self.words, self.plain, self.add = words(), layers.Embedding(5, 2), layers.Add()
            self.attention, self.probe = layers.Attention(), Probe()

        def call(self, x):
            a, b = self.words(x[0]), self.words(x[1])
            self.probe(self.add([a, b]))
            return self.attention([self.plain(x[0]), b])

    layer, other = Both(), np.asarray([[1, 0, 0], [1, 4, 0]])
    x = [portanet.asarray(WORDS, "int32"), portanet.asarray(other, "int32")]
    out = layer(x)
    np.testing.assert_array_equal(to_numpy(layer.probe.seen), (WORDS != 0) | (other != 0))
    query, value = layer.plain(x[0]), layer.words(x[1])
    assert_close(out, to_numpy(layer.attention([query, value], mask=[None, x[1] != 0])), rtol=1e-6)


def test_a_mask_lasts_as_long_as_its_array(backend):
    probe, embedding, x = Probe(), words(), portanet.asarray(WORDS, "int32")
    body = Body(embedding, probe)
    for _ in range(2):
        body(x)
        assert not calling.remembered.get()
    embedded = embedding(x)
    probe.seen = None
    Body(layers.Dense(2), probe)(embedded)  # made outside of the model's call
    np.testing.assert_array_equal(to_numpy(probe.seen), WORDS != 0)
    del embedded
    gc.collect()
    assert not calling.remembered.get()


def test_what_a_layer_keeps_has_no_mask_after_the_call(backend):
    class Keeps(layers.Layer):
        def __init__(self):
            super().__init__()
            self.words, self.end = words(), layers.Activation("tanh")

        def call(self, x):
            self.kept = self.words(x)
            return self.end(self.kept)

    layer = Keeps()
    out = layer(portanet.asarray(WORDS, "int32"))
    assert mask_of(layer.kept) is None
    np.testing.assert_array_equal(to_numpy(mask_of(out)), WORDS != 0)


def test_an_array_where_an_earlier_output_was_is_no_output(backend):
    embedded = words()(portanet.asarray(WORDS, "int32"))
    masks = calling.remembered.get()
    assert masks.outputs
    del embedded
    gc.collect()
    assert not masks
    assert not masks.outputs


def test_masks_are_dropped_after_an_error(backend):
    class Fails(layers.Layer):
        def call(self, x):
            raise ArithmeticError("no")

    with pytest.raises(ArithmeticError):
        Body(words(), Fails())(portanet.asarray(WORDS, "int32"))
    assert calling.remembered.get() is None


def test_no_array_is_kept():
    with portanet.use_backend("numpy"):
        masks, x = calling.Masks(), portanet.asarray(np.ones((2, 3)))
        masks.keep([x, x], [WORDS != 0])
        assert masks.find(x) is not None
        alive = weakref.ref(x)
        del x
        gc.collect()
        assert alive() is None
        assert all(masks.find(portanet.asarray(np.ones((2, 3)))) is None for _ in range(9))  # where `x` was


def test_nothing_is_kept_without_masks(backend, monkeypatch):
    monkeypatch.setattr(calling.Masks, "keep", None)
    body = Body(layers.Embedding(5, 2), layers.Dense(2), Body(layers.LSTM(2)))
    body.compile("sgd", "mse")
    body.fit(WORDS, np.ones((2, 2), "float32"), verbose=0)


def test_a_layer_that_drops_a_mask_says_so(backend):
    class Doubled(layers.Layer):
        def call(self, x):
            return 2.0 * x

    with pytest.warns(UserWarning, match=r"Layer 'doubled' \(Doubled\) drops the mask.*supports_masking = True"):
        Body(words(), Doubled())(portanet.asarray(WORDS, "int32"))


def test_the_mask_reaches_the_loss(backend):
    body = Body(words(), Body(layers.Dense(2)))
    body.compile("sgd", "mse")
    targets = np.ones((2, 3, 2), "float32")
    loss = body.evaluate(WORDS, targets, verbose=0)
    assert loss == pytest.approx(((body.predict(WORDS, verbose=0) - 1) ** 2)[WORDS != 0].mean(), rel=1e-5)


def test_a_mask_of_steps_is_none_of_classes(backend):
    """Not even where there are as many examples and steps as classes."""
    words_of_three = np.asarray([[1, 2, 0], [3, 0, 0], [1, 1, 4]])
    x = portanet.asarray(words_of_three, "int32")
    embedding = layers.Embedding(5, 3, mask_zero=True)
    expected = to_numpy(layers.Softmax()(embedding(x)))
    for model in (
        portanet.Sequential([embedding, layers.Softmax()]),
        portanet.Sequential([embedding, layers.TimeDistributed(portanet.Sequential([layers.Softmax()]))]),
        Body(embedding, layers.Softmax()),
    ):
        assert_close(model(x), expected, rtol=1e-6)


def test_the_mask_reaches_the_layers_of_a_layer_that_casts(backend):
    """Found, passed by a model, or passed on where the calling layer passes masks; but not given by hand."""
    x, mask = portanet.asarray(WORDS, "int32"), portanet.asarray(WORDS != 0)

    class Casts(layers.Layer):
        supports_masking = True

        def __init__(self, part):
            super().__init__(dtype="float64")
            self.part = part

        def call(self, x):
            return self.part(x)

    for model in (
        lambda inner: Body(words(), inner),
        lambda inner: portanet.Sequential([words(), inner]),
        lambda inner: Body(words(), portanet.Sequential([inner])),
    ):
        probe = Probe(dtype="float64")
        model(Casts(probe))(x)
        np.testing.assert_array_equal(to_numpy(probe.seen), WORDS != 0)
    probe = Probe()
    Casts(probe)(portanet.asarray(np.ones((2, 3, 2)), "float32"), mask=mask)
    assert probe.seen is None


@pytest.mark.parametrize("outputs", [1, 2])
def test_masks_of_several_inputs_are_those_of_the_outputs(outputs, backend):
    """In order, where the shapes fit."""

    class Halves(layers.Layer):
        supports_masking = True

        def call(self, x):
            return x[0] * 0.5 if outputs == 1 else [x[0] * 0.5, x[1] * 0.5]

    class Both(layers.Layer):
        def __init__(self):
            super().__init__()
            self.words, self.halves, self.probes = words(), Halves(), [Probe(), Probe()]

        def call(self, x):
            parts = self.halves([self.words(part) for part in x])
            for probe, part in zip(self.probes, [parts] if outputs == 1 else parts, strict=False):
                probe(part)
            return x[0]

    layer, other = Both(), np.asarray([[1, 0, 0], [1, 4, 0]])
    layer([portanet.asarray(WORDS, "int32"), portanet.asarray(other, "int32")])
    for probe, seen in zip(layer.probes[:outputs], (WORDS, other), strict=False):
        np.testing.assert_array_equal(to_numpy(probe.seen), seen != 0)
