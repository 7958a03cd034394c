"""News of Reuters on 46 topics (D. Lewis 1997); as `keras.datasets.reuters`."""

from __future__ import annotations

import numpy as np

from portanet import checks
from portanet.datasets.downloaded import Split, stored
from portanet.datasets.pickled import read_npz
from portanet.datasets.word_sequences import checked_limits, limited, marked, no_longer_than, shuffled, word_index

TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog",
    "lead",
)  # fmt: skip


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """Download the news, 2 MB, unless they are stored already (extra `data`), and read them.

    Args:
        path: The name of the file in the cache, see `portanet.utils.get_file`.
        num_words: Words are numbered by their frequency; those from this number on are replaced by `oov_char`. None to
            keep all.
        skip_top: The number of most frequent words that are replaced as well.
        maxlen: If given, sequences of this length or more are left out.
        test_split: The share of test data.
        seed: The seed by which sequences are shuffled.
        start_char: Marks the start of a sequence; None for no mark.
        oov_char: What words are replaced by; None to leave them out.
        index_from: What is added to the numbers of words.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of the numbers of words, and topics from 0 to 45.

    Raises:
        OSError: The file cannot be downloaded, or is not the expected one.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    checked_limits(num_words, skip_top, maxlen)
    test_split = checks.number("test_split", test_split, "[0, 1]", "load_data")
    generator = np.random.RandomState(checks.integer("seed", seed, "load_data", least=0))
    x, y = read_npz(stored("reuters.npz", checks.path("path", path, "load_data")), "x", "y")
    x, y = shuffled(x, y, generator=generator)
    sequences, y = no_longer_than(maxlen, marked(x, start_char, index_from), y)
    x = limited(sequences, num_words, skip_top, oov_char)
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The numbers of words, before `index_from` is added; downloaded unless they are stored already.

    Args:
        path: The name of the file in the cache.

    Example:
        >>> number = get_word_index()["oil"]  # doctest: +SKIP
    """
    return word_index("reuters_word_index.json", path)


def get_label_names() -> tuple[str, ...]:
    """The names of the topics, by their numbers.

    Example:
        >>> get_label_names()[3]  # doctest: +SKIP
    """
    return TOPICS
