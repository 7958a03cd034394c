"""Connectionist temporal classification against the sum over all alignments, one by one."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from portanet import ops
from tests.support import asarray, to_numpy

CLASSES = 3
LOGITS = np.random.default_rng(4).normal(size=(3, 5, CLASSES))
LENGTHS = [5, 3, 4]


def likelihoods(logits: Any, blank: int) -> dict[tuple[int, ...], float]:
    """The probability of every sequence of labels: of all alignments that become it."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    total: dict[tuple[int, ...], float] = defaultdict(float)
    for path in itertools.product(range(CLASSES), repeat=len(p)):
        labels = tuple(label for label, _ in itertools.groupby(path) if label != blank)
        total[labels] += float(np.prod([row[k] for row, k in zip(p, path, strict=True)]))
    return total


@pytest.mark.parametrize("blank", range(CLASSES))
def test_beam_search_finds_the_most_likely_sequences(backend: Any, blank: int) -> None:
    count = 4
    labels, scores = ops.ctc_decode(
        asarray(LOGITS, "float32"), asarray(LENGTHS, "int32"), "beam_search", 500, count, mask_index=blank
    )
    assert tuple(labels.shape) == (count, 3, 5)
    assert str(labels.dtype).endswith("int32")
    for i, length in enumerate(LENGTHS):
        expected = sorted(likelihoods(LOGITS[i, :length], blank).items(), key=lambda item: -item[1])[:count]
        for k, (sequence, p) in enumerate(expected):
            row = to_numpy(labels)[k, i].tolist()
            assert row == [*sequence, *[-1] * (5 - len(sequence))]
            np.testing.assert_allclose(np.exp(to_numpy(scores)[i, k]), p, rtol=1e-4)


def test_a_narrow_beam_loses_sequences() -> None:
    """One beam follows the best class of the first step, whatever comes later."""
    logits = np.log(np.asarray([[[0.34, 0.33, 0.33], [0.01, 0.98, 0.01]]]))
    wide, narrow = (ops.ctc_decode(logits, [2], "beam_search", width)[1] for width in (9, 1))
    best = max(likelihoods(logits[0], 0).items(), key=lambda item: item[1])
    np.testing.assert_allclose(np.exp(wide), [[best[1]]])
    np.testing.assert_allclose(np.exp(narrow), [[0.34 * 0.98]])


def test_paths_that_do_not_exist() -> None:
    labels, scores = ops.ctc_decode(LOGITS[:1, :1], [1], "beam_search", top_paths=5)
    assert labels.shape == (5, 1, 1)
    assert (labels[3:] == -1).all()
    assert np.isfinite(scores[0, :3]).all()
    assert (scores[0, 3:] == -np.inf).all()
    assert scores.dtype == "float64"


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("blank", range(CLASSES))
def test_the_best_classes_of_all_steps(backend: Any, blank: int, merge: bool) -> None:
    logits = np.repeat(LOGITS, 2, axis=1)
    lengths = [10, 6, 7]
    labels, scores = ops.ctc_decode(asarray(logits), asarray(lengths, "int32"), merge_repeated=merge, mask_index=blank)
    for i, length in enumerate(lengths):
        path = logits[i, :length].argmax(-1).tolist()
        path = [k for k, _ in itertools.groupby(path)] if merge else path
        kept = [k for k in path if k != blank]
        assert to_numpy(labels)[0, i].tolist() == [*kept, *[-1] * (10 - len(kept))]
        np.testing.assert_allclose(to_numpy(scores)[i, 0], -logits[i, :length].max(-1).sum(), rtol=1e-5)


@pytest.mark.parametrize("blank", range(CLASSES))
def test_loss_is_that_of_all_alignments(backend: Any, blank: int) -> None:
    """With repeated labels, none, and as many as there are steps."""
    others = [k for k in range(CLASSES) if k != blank]
    targets = [[others[0], others[0], others[1]], [others[0], others[1], others[0]], []]
    padded = [[*t, *[blank] * (3 - len(t))] for t in targets]
    loss = ops.ctc_loss(
        asarray(padded, "int32"),
        asarray(LOGITS),
        asarray([len(t) for t in targets], "int32"),
        asarray(LENGTHS, "int32"),
        mask_index=blank,
    )
    expected = [-np.log(likelihoods(x[:n], blank)[tuple(t)]) for x, n, t in zip(LOGITS, LENGTHS, targets, strict=True)]
    np.testing.assert_allclose(to_numpy(loss), expected, rtol=1e-4)
