"""Where batches come from, and how they get to the device."""
