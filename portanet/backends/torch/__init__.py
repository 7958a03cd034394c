"""PyTorch, on the CPU or an accelerator."""
