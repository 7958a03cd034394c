"""Connectionist temporal classification: the loss, and the best sequences of labels."""

from __future__ import annotations

import math

import numpy as np

from portanet import checks
from portanet.activations import log_softmax
from portanet.autodiff import array_namespace, stop_gradient, storage, unwrap
from portanet.backends import Array, HostArray, device_of, to_host
from portanet.fused.alignments import alignments
from portanet.ops.conversion import as_array
from portanet.ops.dtypes import at_least_float32, floating
from portanet.ops.operation import operation
from portanet.ops.searching import int32


@operation
def ctc_loss(target: Array, output: Array, target_length: Array, output_length: Array, mask_index: int = 0) -> Array:
    """Negative log-likelihood of label sequences, summed over all their alignments with the time steps.

    Args:
        target: Class numbers, shape (batch, length).
        output: Logits, shape (batch, time, classes).
        target_length: Number of labels of each sequence, shape (batch,).
        output_length: Number of time steps of each sequence, shape (batch,).
        mask_index: The class of the blank.

    Returns:
        Shape (batch,), of float16 in float32.

    Source: A. Graves et al., Connectionist Temporal Classification (2006).

    Example:
        >>> ctc_loss([[1]], [[[0.0, 0.0], [0.0, 0.0]]], [1], [2]).round(4)
        array([0.2877], dtype=float32)
    """
    output = at_least_float32(floating(output))
    if len(output.shape) != 3 or len(target.shape) != 2 or output.shape[0] != target.shape[0]:
        raise ValueError(
            "ctc_loss takes `target` of shape (batch, length) and `output` of shape (batch, time, classes). "
            f"Received: target of shape {tuple(target.shape)}, output of shape {tuple(output.shape)}"
        )
    labels, lengths, steps = map(int32, (target, target_length, output_length))
    return alignments(labels, log_softmax(output), lengths, steps, mask_index)


@operation
def ctc_decode(
    inputs: Array,
    sequence_lengths: Array,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Array, Array]:
    """The most likely sequences of labels.

    Args:
        inputs: Logits, shape (batch, time, classes).
        sequence_lengths: Number of time steps of each sequence, shape (batch,).
        strategy: `"greedy"`: the best class of each step; `"beam_search"`: the most likely sequences, on the host.
        beam_width: For `"beam_search"`: number of sequences that are followed.
        top_paths: For `"beam_search"`: number of sequences to return.
        merge_repeated: For `"greedy"`: whether a class in successive steps is one label.
        mask_index: The class of the blank.

    Returns:
        The labels, shape (top_paths, batch, time), int32, padded with -1; and their scores, shape (batch, top_paths):
        for `"greedy"` the negative sum of the greatest logits, for `"beam_search"` log-probabilities.

    Example:
        >>> ctc_decode([[[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]], [3])[0]
        array([[[ 1, -1, -1]]], dtype=int32)
    """
    checks.choice("strategy", strategy, ("greedy", "beam_search"), "ctc_decode")
    checks.positive_int("beam_width", beam_width, "ctc_decode")
    checks.positive_int("top_paths", top_paths, "ctc_decode")
    x, lengths = at_least_float32(floating(stop_gradient(inputs))), stop_gradient(sequence_lengths)
    if len(x.shape) != 3:
        raise ValueError(f"ctc_decode takes `inputs` of shape (batch, time, classes). Received: {tuple(x.shape)}")
    if strategy == "beam_search":
        labels, scores = _beam_search(to_host(unwrap(x)), to_host(unwrap(lengths)), beam_width, top_paths, mask_index)
        return as_array(labels, x), as_array(scores.astype(x.dtype if isinstance(x, np.ndarray) else "float32"), x)
    xp = array_namespace(x, lengths)
    steps = xp.arange(x.shape[1], dtype=xp.int32, device=device_of(storage(x)))
    outside = xp.less_equal(int32(lengths)[:, None], steps)
    best = xp.where(outside, mask_index, xp.astype(xp.argmax(x, axis=-1), xp.int32))
    scores = xp.sum(xp.where(outside, 0.0, xp.max(x, axis=-1)), axis=1)
    blank = best == mask_index
    if merge_repeated:
        again = best[:, 1:] == best[:, :-1]
        blank = blank | xp.concat([xp.zeros_like(blank[:, :1]), again], axis=1)
    order = xp.argsort(xp.astype(blank, xp.int32), axis=1, stable=True)
    labels = xp.take_along_axis(xp.where(blank, -1, best), order, axis=1)
    return xp.expand_dims(labels, axis=0), -scores[:, None]


def _beam_search(
    logits: HostArray, lengths: HostArray, width: int, count: int, blank: int
) -> tuple[HostArray, HostArray]:
    batch, time, _ = logits.shape
    labels = np.full((count, batch, time), -1, dtype="int32")
    scores = np.full((batch, count), -math.inf)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    for i in range(batch):
        # By sequence of labels: the log-probabilities of the alignments that end with a blank, and with the last label.
        beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
        for step in log_p[i, : int(lengths[i])].tolist():
            new: dict[tuple[int, ...], tuple[float, float]] = {}
            for path, (with_blank, with_label) in beams.items():
                both = float(np.logaddexp(with_blank, with_label))
                _add(new, path, both + step[blank], -math.inf)
                for label, p in enumerate(step):
                    if label == blank:
                        continue
                    if path and path[-1] == label:
                        _add(new, path, -math.inf, with_label + p)
                        _add(new, (*path, label), -math.inf, with_blank + p)
                    else:
                        _add(new, (*path, label), -math.inf, both + p)
            best = sorted(new.items(), key=lambda item: -float(np.logaddexp(*item[1])))
            beams = dict(best[:width])
        for k, (path, ends) in enumerate(list(beams.items())[:count]):
            labels[k, i, : len(path)] = path
            scores[i, k] = np.logaddexp(*ends)
    return labels, scores


def _add(beams: dict[tuple[int, ...], tuple[float, float]], path: tuple[int, ...], blank: float, label: float) -> None:
    old = beams.get(path, (-math.inf, -math.inf))
    beams[path] = float(np.logaddexp(old[0], blank)), float(np.logaddexp(old[1], label))
