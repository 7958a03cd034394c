"""What is raised when a file cannot be loaded."""

from __future__ import annotations


class LoadError(ValueError):
    """A file is damaged, of another format, or does not fit; the message names the file and what is wrong with it."""
