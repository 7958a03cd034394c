"""Optional inputs, one at a time and together: masks of attention, initial states of recurrent layers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.autodiff import array_namespace, grad
from portanet.backends import Backend
from portanet.tree import tree_leaves
from tests.support import asarray, assert_close, to_numpy

RNG = np.random.default_rng(3)
QUERY, VALUE, KEY = (RNG.normal(size=(2, n, 4)) for n in (3, 5, 5))
MASKS = {
    "query": np.array([[True, False, True], [False, True, True]]),
    "value": np.array([[True, True, False, True, False], [True, False, True, True, True]]),
    "key": np.array([[False, True, True, True, True], [True, True, True, False, True]]),
    "pairs": RNG.random((2, 3, 5)) < 0.7,
    "heads": RNG.random((2, 4, 3, 5)) < 0.7,
}
MASKS["pairs"][..., 1] = MASKS["heads"][..., 1] = True
SOURCES = ("value", "key", "pairs", "heads")
SUBSETS = [set(some) for count in range(4) for some in itertools.combinations(("query", *SOURCES), count)]


def softmax(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Over the last axis, where allowed; zeros in rows where nothing is."""
    weights = np.where(allowed, np.exp(scores - scores.max()), 0.0)
    total = weights.sum(axis=-1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def allowed_pairs(given: set[str], causal: bool) -> np.ndarray:
    """Shape (batch, heads, target, source)."""
    allowed = np.ones((2, 4, 3, 5), dtype=bool)
    for name in given & {"value", "key"}:
        allowed &= MASKS[name][:, None, None, :]
    if "pairs" in given:
        allowed &= MASKS["pairs"][:, None]
    if "heads" in given:
        allowed &= MASKS["heads"]
    return allowed & (np.tril(np.ones((3, 5), dtype=bool)) if causal else True)


def spoilt(x: np.ndarray, mask: np.ndarray | None) -> Any:
    """An input whose masked positions are not even numbers."""
    return asarray(x if mask is None else np.where(mask[..., None], x, np.nan), "float64")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "given", [s for s in SUBSETS if not {"pairs", "heads"} <= s], ids=lambda s: "+".join(sorted(s))
)
@pytest.mark.parametrize("grouped", [False, True])
def test_masks_of_multi_head_attention(backend: Backend, given: set[str], causal: bool, grouped: bool) -> None:
    if backend.name == "jax" and (causal or len(given) > 1):
        pytest.skip("JAX compiles every operation for every shape, which takes minutes")
    if grouped:
        layer: Any = layers.GroupQueryAttention(3, 4, 2, dtype="float64")
    else:
        layer = layers.MultiHeadAttention(4, 3, dtype="float64")
    layer.build([QUERY.shape, VALUE.shape, KEY.shape])
    layer.set_weights([np.random.default_rng(7).normal(size=w.shape) for w in layer.weights])
    weights = [w.numpy() for w in layer.weights]
    if grouped:
        weights[2:6] = [np.repeat(w, 2, axis=-2) for w in weights[2:6]]
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    q, k, v = (
        np.einsum("btf,fhd->bhtd", x, w) + b[:, None] for x, w, b in ((QUERY, wq, bq), (KEY, wk, bk), (VALUE, wv, bv))
    )
    scores = softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(3), allowed_pairs(given, causal))
    heads = scores @ v
    if "query" in given:
        scores, heads = (np.where(MASKS["query"][:, None, :, None], a, 0.0) for a in (scores, heads))
    expected = np.einsum("bhtd,hdf->btf", heads, wo) + bo

    masks = {name: MASKS[name] for name in given & {"query", "value", "key"}}
    inputs = [spoilt(x, masks.get(n)) for n, x in (("query", QUERY), ("value", VALUE), ("key", KEY))]
    device = {name: asarray(mask) for name, mask in MASKS.items() if name in given}
    options: dict[str, Any] = {"use_causal_mask": causal}
    if given & {"pairs", "heads"}:
        options["attention_mask"] = device.get("pairs", device.get("heads"))
    listed = [device.get(name) for name in ("query", "value", "key")]
    assert_close(layer(inputs, mask=listed, **options), expected, dtype="float64")
    out, result = layer(inputs, mask=listed, return_attention_scores=True, **options)
    assert_close(out, expected, dtype="float64")
    assert_close(result, scores, dtype="float64")
    if "key" not in given:
        named = layer(inputs, mask=device.get("query"), value_mask=device.get("value"), **options)
        assert_close(named, expected, dtype="float64")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("given", [set(), {"query"}, {"value"}, {"query", "value"}], ids=lambda s: "+".join(sorted(s)))
@pytest.mark.parametrize("kind", ["dot", "scaled", "concat", "additive", "additive without scale"])
def test_masks_of_attention(backend: Backend, kind: str, given: set[str], causal: bool) -> None:
    layer: Any = {
        "dot": lambda: layers.Attention(dtype="float64"),
        "scaled": lambda: layers.Attention(use_scale=True, dtype="float64"),
        "concat": lambda: layers.Attention(use_scale=True, score_mode="concat", dtype="float64"),
        "additive": lambda: layers.AdditiveAttention(dtype="float64"),
        "additive without scale": lambda: layers.AdditiveAttention(use_scale=False, dtype="float64"),
    }[kind]()
    layer.build([QUERY.shape, VALUE.shape, KEY.shape])
    layer.set_weights([np.random.default_rng(7).normal(size=w.shape) for w in layer.weights])
    weights = {w.name.rpartition("/")[2]: w.numpy() for w in layer.weights}
    sums = QUERY[:, :, None, :] + KEY[:, None, :, :]
    scores = {
        "dot": lambda: QUERY @ np.swapaxes(KEY, 1, 2),
        "scaled": lambda: QUERY @ np.swapaxes(KEY, 1, 2) * weights["scale"],
        "concat": lambda: weights["concat_score_weight"] * np.tanh(weights["scale"] * sums).sum(axis=-1),
        "additive": lambda: (weights["scale"] * np.tanh(sums)).sum(axis=-1),
        "additive without scale": lambda: np.tanh(sums).sum(axis=-1),
    }[kind]()
    attention = softmax(scores, allowed_pairs(given, causal)[:, 0])
    expected = attention @ VALUE
    if "query" in given:
        expected = np.where(MASKS["query"][..., None], expected, 0.0)
    masks = {name: MASKS[name] for name in given}
    inputs = [spoilt(x, masks.get(n)) for n, x in (("query", QUERY), ("value", VALUE), ("value", KEY))]
    listed = [asarray(masks[n]) if n in masks else None for n in ("query", "value")]
    assert_close(layer(inputs, mask=listed, use_causal_mask=causal), expected, dtype="float64")
    out, result = layer(inputs, mask=listed, use_causal_mask=causal, return_attention_scores=True)
    assert_close(out, expected, dtype="float64")
    shown = MASKS["query"][..., None] if "query" in given else np.ones((2, 3, 1), bool)
    np.testing.assert_allclose(
        np.where(shown, to_numpy(result), 0), np.where(shown, attention, 0), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("masked", ["query", "value", "both"])
def test_a_mask_of_one_array_attending_to_itself(backend: Backend, masked: str) -> None:
    """`mask` alone masks both sides; `value_mask` alone the source."""
    layer = layers.MultiHeadAttention(2, 3, dtype="float64")
    mask = asarray(MASKS["query"])
    x = asarray(QUERY, "float64")
    options = {"query": {"mask": [mask]}, "value": {"value_mask": mask}, "both": {"mask": mask, "value_mask": mask}}
    out = to_numpy(layer(x, **options[masked]))
    listed = [None if masked == "value" else mask, mask, None]
    np.testing.assert_allclose(out, to_numpy(layer([x, x, x], mask=listed)), rtol=1e-12)


# Initial states

KINDS = ["SimpleRNN", "LSTM", "GRU"]
STEPS = np.random.default_rng(4).normal(size=(2, 4, 3))


def stepped(layer: Any, x: Any, states: list[Any]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The outputs (batch, time, units) and the last states, step by step."""
    outputs = []
    for t in range(x.shape[1]):
        out, states = layer.cell(x[:, t, :], states)
        outputs.append(to_numpy(out))
    return np.stack(outputs, axis=1), [to_numpy(s) for s in tree_leaves(states)]


def drawn_states(layer: Any, seed: int = 5) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(2, size)) for size in tree_leaves(layer.state_size)]


@pytest.mark.parametrize("kind", [*KINDS, "stack"])
@pytest.mark.parametrize("backwards", [False, True])
def test_each_initial_state_counts(backend: Backend, kind: str, backwards: bool) -> None:
    options = {"return_sequences": True, "return_state": True, "go_backwards": backwards, "dtype": "float64"}
    if kind == "stack":
        layer: Any = layers.RNN([layers.LSTMCell(3, dtype="float64"), layers.GRUCell(2, dtype="float64")], **options)
    else:
        layer = getattr(layers, kind)(3, **options)
    layer.build(STEPS.shape)
    x = asarray(STEPS, "float64")
    zeros = [np.zeros_like(s) for s in drawn_states(layer)]
    for position in [None, *range(len(zeros))]:
        states = list(drawn_states(layer)) if position is None else list(zeros)
        if position is not None:
            states[position] = drawn_states(layer)[position]
        given = [asarray(s, "float64") for s in states]
        ordered = array_namespace(x).flip(x, axis=1) if backwards else x
        expected, last = stepped(layer, ordered, given)
        out, *ends = layer(x, initial_state=given)
        assert_close(out, expected, dtype="float64")
        for end, state in zip(tree_leaves(ends), last, strict=True):
            assert_close(end, state, dtype="float64")
        assert_close(layer([x, *given])[0], expected, dtype="float64")
    assert_close(layer(x)[0], stepped(layer, ordered, [asarray(s, "float64") for s in zeros])[0], dtype="float64")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["forward", "backward", "both"])
def test_initial_states_of_each_direction(backend: Backend, kind: str, side: str) -> None:
    layer = layers.Bidirectional(getattr(layers, kind)(3, return_sequences=True, return_state=True, dtype="float64"))
    layer.build(STEPS.shape)
    x = asarray(STEPS, "float64")
    first, second = drawn_states(layer.forward_layer, 1), drawn_states(layer.backward_layer, 2)
    first = [s * (side != "backward") for s in first]
    second = [s * (side != "forward") for s in second]
    given = [asarray(s, "float64") for s in (*first, *second)]
    half = len(first)
    ahead, ends = stepped(layer.forward_layer, x, given[:half])
    back, starts = stepped(layer.backward_layer, array_namespace(x).flip(x, axis=1), given[half:])
    out, *states = layer(x, initial_state=given)
    assert_close(out, np.concatenate([ahead, back[:, ::-1]], axis=-1), dtype="float64")
    for result, expected in zip(states, (*ends, *starts), strict=True):
        assert_close(result, expected, dtype="float64")


@pytest.mark.parametrize("kind", KINDS)
def test_masked_steps_keep_the_initial_state(backend: Backend, kind: str) -> None:
    """Where nothing is shown, the last state is the first, and so is its derivative."""
    layer = getattr(layers, kind)(3, return_state=True, dtype="float64")
    layer.build(STEPS.shape)
    mask = np.array([[False] * 4, [False, True, False, True]])
    states = [asarray(s, "float64") for s in drawn_states(layer)]
    x = asarray(np.where(mask[..., None], STEPS, np.nan), "float64")
    out, *ends = layer(x, mask=asarray(mask), initial_state=states)
    seen = asarray(STEPS[1:, [1, 3]], "float64")
    _, expected = stepped(layer, seen, [s[1:, :] for s in states])
    for end, start, state in zip(ends, states, expected, strict=True):
        np.testing.assert_array_equal(to_numpy(end)[0], to_numpy(start)[0])
        np.testing.assert_allclose(to_numpy(end)[1:], state, rtol=1e-9)
    assert_close(out, to_numpy(ends[0]), dtype="float64")

    def total(states: Any) -> Any:
        _, *ends = layer(x, mask=asarray(mask), initial_state=states)
        return sum(array_namespace(end).sum(end[0, ...]) for end in ends)

    for slope in grad(total)(states):
        np.testing.assert_array_equal(to_numpy(slope), [[1] * 3, [0] * 3])


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 3)], r"needs states of shapes \[\(2, 3\), \(2, 3\)\]"),
        ([(2, 3), (2, 4)], r"needs states of shapes"),
        ([(2, 4), (2, 3)], r"needs states of shapes"),
        ([(2, 3), (2, 3), (2, 3)], r"needs states of shapes"),
        ([(3, 3), (3, 3)], r"the same number of examples"),
    ],
)
def test_wrong_initial_states(shapes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.LSTM(3)(np.ones((2, 4, 3)), initial_state=[np.ones(shape) for shape in shapes])
