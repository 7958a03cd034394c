"""Text files: plain, and with a label on every line."""

from __future__ import annotations

from typing import Any

from portanet.datasets.files import LIMIT, read_bytes


def read_text(path: Any, encoding: str = "utf-8", max_bytes: int = LIMIT) -> str:
    """A text file as one string, with all line endings converted to newlines.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is too large, or not in the encoding.
    """
    data = read_bytes(path, max_bytes)
    try:
        return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"File {str(path)!r} is not text in {encoding}; pass its encoding, such as 'latin-1'. Received: byte "
            f"{data[error.start]:#04x} at {error.start}"
        ) from None


def read_trec(path: Any, encoding: str = "latin-1") -> tuple[list[str], list[str], list[str]]:
    """Questions with the classes of their answers, as in the TREC dataset (X. Li and D. Roth 2002).

    A line holds `COARSE:fine question`, such as `NUM:dist How far is it from Denver to Aspen ?`.

    Args:
        path: The file.
        encoding: Its encoding.

    Returns:
        The questions, their coarse classes (`"NUM"`) and their fine ones (`"NUM:dist"`).

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A line has no class.
    """
    texts, coarse, fine = [], [], []
    for number, line in enumerate(read_text(path, encoding).splitlines(), start=1):
        if not line.strip():
            continue
        label, _, text = line.strip().partition(" ")
        category, colon, subcategory = label.partition(":")
        if not (category and colon and subcategory and text):
            raise ValueError(f"Line {number} of {str(path)!r} must be 'COARSE:fine question'. Received: {line[:60]!r}")
        texts.append(text)
        coarse.append(category)
        fine.append(label)
    return texts, coarse, fine
