"""Preprocessing of data: scaling, whitening, polynomial features, splitting, tokenization."""

from portanet.preprocessing import sequence
from portanet.preprocessing.clustering import choose_centers, k_means
from portanet.preprocessing.features import PolynomialFeatures
from portanet.preprocessing.scaling import MaxAbsScaler, StandardScaler
from portanet.preprocessing.splitting import train_test_split
from portanet.preprocessing.text import Tokenizer
from portanet.preprocessing.transformer import Transformer
from portanet.preprocessing.whitening import PCAWhitening, ZCAWhitening

__all__ = [
    "MaxAbsScaler",
    "PCAWhitening",
    "PolynomialFeatures",
    "StandardScaler",
    "Tokenizer",
    "Transformer",
    "ZCAWhitening",
    "choose_centers",
    "k_means",
    "sequence",
    "train_test_split",
]
