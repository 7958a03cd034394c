"""Sequences of word numbers: shuffling, markers and the limits of vocabulary and length, as in Keras."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.datasets.downloaded import stored

Words = list[list[int]]


def shuffled(*arrays: HostArray, generator: Any) -> list[HostArray]:
    """Arrays in one random order."""
    order = np.arange(len(arrays[0]))
    generator.shuffle(order)
    return [array[order] for array in arrays]


def marked(sequences: Iterable[Any], start_char: int | None, index_from: int | None) -> Words:
    """Sequences with a marker at the start, and words numbered from `index_from` on."""
    first = [] if start_char is None else [start_char]
    shift = index_from or 0
    return [[*first, *(word + shift for word in sequence)] for sequence in sequences]


def no_longer_than(maxlen: int | None, x: Words, y: HostArray) -> tuple[Words, HostArray]:
    """The sequences that are shorter than a length, and their labels."""
    if maxlen is None:
        return x, y
    kept = [i for i, sequence in enumerate(x) if len(sequence) < maxlen]
    if not kept:
        raise ValueError(f"Argument `maxlen` must exceed the length of some sequences. Received: maxlen={maxlen}")
    return [x[i] for i in kept], np.asarray(y)[kept]


def limited(x: Words, num_words: int | None, skip_top: int, oov_char: int | None) -> HostArray:
    """Sequences of the most frequent words; others are marked, or left out if `oov_char` is None."""
    most = max(map(max, x)) if num_words is None else num_words
    if oov_char is None:
        sequences = [[word for word in sequence if skip_top <= word < most] for sequence in x]
    else:
        sequences = [[word if skip_top <= word < most else oov_char for word in sequence] for sequence in x]
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


def checked_limits(num_words: Any, skip_top: Any, maxlen: Any) -> None:
    """Refuse limits that are no counts."""
    for name, value in (("num_words", num_words), ("maxlen", maxlen)):
        if value is not None:
            checks.positive_int(name, value, "load_data")
    checks.integer("skip_top", skip_top, "load_data", least=0)


def word_index(name: str, path: str) -> dict[str, int]:
    """The numbers of words, from a file."""
    with open(stored(name, checks.path("path", path, "get_word_index")), encoding="utf-8") as file:
        index: dict[str, int] = json.load(file)
    return index
