"""Sparse Jacobians and Hessians: a pass for each colour of the sparsity pattern instead of one for each element."""
