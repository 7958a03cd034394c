"""Keras runs on PyTorch here; it reads this setting when first imported."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
