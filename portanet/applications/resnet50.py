"""ResNet with 50 layers, under the path that it has in Keras, too."""

from portanet.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
