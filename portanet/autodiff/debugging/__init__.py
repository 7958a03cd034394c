"""Checks of derivatives and lists of operations, for tests and debugging."""
