"""CuPy: NVIDIA GPUs."""
