"""Export of models to other formats: ONNX."""

from portanet.export.onnx import Entrance, export_onnx

__all__ = ["Entrance", "export_onnx"]
