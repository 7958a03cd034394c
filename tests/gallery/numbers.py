"""The listings, figures, tables and sections of the documents that `docs/sources` must have rows for."""

from __future__ import annotations


def numbered(kind: str, counts: dict[str, int], separator: str) -> list[str]:
    """Such as "Listing 2-1", "Listing 2-2", for the number of each chapter."""
    return [f"{kind} {chapter}{separator}{i}" for chapter, count in counts.items() for i in range(1, count + 1)]


KETKAR = [
    *numbered("Listing", {"2": 2, "3": 1, "4": 14, "7": 8, "8": 4, "9": 3, "10": 3}, "-"),
    *numbered(
        "Figure",
        {"2": 5, "3": 10, "4": 14, "5": 13, "6": 11, "7": 6, "8": 14, "9": 11, "10": 5},
        "-",
    ),
    "Table 2-1",
]
NUMPYDL = [
    *numbered("Figure", {"2": 30}, "."),
    *numbered("Section", {"1": 2}, "."),
    *numbered("Section", {"2.1": 4, "2.2": 2, "2.3": 2, "2.4": 5, "2.5": 4, "2.6": 4, "2.7": 6}, "."),
    *numbered("Section", {"3.1": 8, "3.2": 2, "3.3": 2, "3.4": 3, "3.5": 3, "3.6": 1, "3.7": 2}, "."),
    *(
        f"Script {name}"
        for name in (
            "mlp-digits.py",
            "mlp-mnist.py",
            "cnn-minist.py",
            "cnn_sentence_classification.py",
            "lstm_sentence_classification.py",
            "rnn-character-lm.py",
            "lstm-character-lm.py",
        )
    ),
]
EXPECTED = {"ketkar": KETKAR, "numpydl": NUMPYDL}
