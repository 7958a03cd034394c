"""Data made ready for a network: scaled, whitened, split, and text as numbers."""
