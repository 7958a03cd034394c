"""Normalisation of activations and of weights."""
