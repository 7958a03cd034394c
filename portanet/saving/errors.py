"""The error of files that cannot be loaded."""

from __future__ import annotations


class LoadError(ValueError):
    """A file is damaged, of another format, or does not match; the message names the file and the cause."""
