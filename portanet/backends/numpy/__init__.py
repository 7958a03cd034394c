"""NumPy: the reference backend, and what makes it fast on the cores of the host."""
