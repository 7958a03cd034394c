"""Basic layers: input, dense, embedding, functions."""
