"""Layers of any network: where data enters, dense, embedding, functions."""
