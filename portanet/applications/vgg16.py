"""VGG with 16 layers with weights (K. Simonyan and A. Zisserman 2015, arXiv:1409.1556)."""

from portanet.applications.base import application
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_caffe as preprocess_input
from portanet.applications.vgg import network

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

VGG16 = application("VGG16", "VGG with 16 layers.", network((2, 2, 3, 3, 3), "vgg16"))
