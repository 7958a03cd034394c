"""JAX, on whichever devices it finds."""
