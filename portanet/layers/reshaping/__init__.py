"""Layers that move, cut, pad and repeat elements."""
