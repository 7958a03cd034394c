"""`vmap` over any library: arrays with a hidden batch axis, and what each function of the standard does with them."""
