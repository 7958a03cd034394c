"""Models in the form of other programs: ONNX."""

from portanet.export.onnx import Entrance, export_onnx

__all__ = ["Entrance", "export_onnx"]
