"""ndonnx: arrays that write an ONNX graph of what is computed with them."""
