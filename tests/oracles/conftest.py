"""Keras runs on PyTorch here; it reads its choice when first imported."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
