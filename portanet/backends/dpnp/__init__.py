"""dpnp: Intel GPUs, through SYCL."""
