"""Keras runs on PyTorch here; it reads this setting when first imported. The scripts are not test modules."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
collect_ignore_glob = ["scripts/*"]
