"""Layers that rearrange, crop, pad and repeat elements."""
