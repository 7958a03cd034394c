"""Keras runs on PyTorch here; it reads this setting when first imported."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
collect_ignore_glob = ["scripts/*", "names.py", "networks.py"]  # they import Keras, and have no tests
