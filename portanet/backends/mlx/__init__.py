"""MLX: the GPU of Apple silicon; CPUs."""
