"""Files of Keras 3: `.keras` and `.weights.h5`.

`files.py` reads and writes them; `table.py` says what both libraries have. Nothing in a file is executed.
"""
