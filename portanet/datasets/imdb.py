"""Reviews of movies, positive or negative (A. Maas et al. 2011); as `keras.datasets.imdb`."""

from __future__ import annotations

import numpy as np

from portanet import checks
from portanet.datasets.downloaded import Split, stored
from portanet.datasets.pickled import read_npz
from portanet.datasets.word_sequences import checked_limits, limited, marked, no_longer_than, shuffled, word_index


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """Download the reviews, 17 MB, unless they are stored already (extra `data`), and read them.

    Args:
        path: The name of the file in the cache, see `portanet.utils.get_file`.
        num_words: Words are numbered by their frequency; those from this number on are replaced by `oov_char`. None to
            keep all.
        skip_top: The number of most frequent words that are replaced as well.
        maxlen: If given, sequences of this length or more are left out.
        seed: The seed by which sequences are shuffled.
        start_char: Marks the start of a sequence; None for no mark.
        oov_char: What words are replaced by; None to leave them out.
        index_from: What is added to the numbers of words.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of 25,000 lists of the numbers of words, and 1 for positive.

    Raises:
        OSError: The file cannot be downloaded, or is not the expected one.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    checked_limits(num_words, skip_top, maxlen)
    generator = np.random.RandomState(checks.integer("seed", seed, "load_data", least=0))
    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = read_npz(stored("imdb.npz", checks.path("path", path, "load_data")), *names)
    train, test = shuffled(*arrays[:2], generator=generator), shuffled(*arrays[2:], generator=generator)
    x_train, y_train = no_longer_than(maxlen, marked(train[0], start_char, index_from), train[1])
    x_test, y_test = no_longer_than(maxlen, marked(test[0], start_char, index_from), test[1])
    x = limited(x_train + x_test, num_words, skip_top, oov_char)
    return (x[: len(x_train)], y_train), (x[len(x_train) :], y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The numbers of words, before `index_from` is added; downloaded unless they are stored already.

    Args:
        path: The name of the file in the cache.

    Example:
        >>> number = get_word_index()["film"]  # doctest: +SKIP
    """
    return word_index("imdb_word_index.json", path)
