"""What portanet and Keras have in common, and where they differ: the one table for both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MODULES = {
    "layers": "keras.layers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "optimizers": "keras.optimizers",
    "schedules": "keras.optimizers.schedules",
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
}
"""The modules of Keras, by the packages here."""

CLASSES: dict[str, list[str]] = {
    "layers": [
        "Activation",
        "ActivityRegularization",
        "AdaptiveAveragePooling1D",
        "AdaptiveAveragePooling2D",
        "AdaptiveAveragePooling3D",
        "AdaptiveMaxPooling1D",
        "AdaptiveMaxPooling2D",
        "AdaptiveMaxPooling3D",
        "Add",
        "AdditiveAttention",
        "AlphaDropout",
        "Attention",
        "AugMix",
        "AutoContrast",
        "Average",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "BatchNormalization",
        "Bidirectional",
        "CategoryEncoding",
        "CenterCrop",
        "Concatenate",
        "ContrastLimitedAdaptiveHistogramEqualization",
        "Conv1D",
        "Conv1DTranspose",
        "Conv2D",
        "Conv2DTranspose",
        "Conv3D",
        "Conv3DTranspose",
        "ConvLSTM1D",
        "ConvLSTM2D",
        "ConvLSTM3D",
        "Cropping1D",
        "Cropping2D",
        "Cropping3D",
        "CutMix",
        "Dense",
        "DepthwiseConv1D",
        "DepthwiseConv2D",
        "Discretization",
        "Dot",
        "Dropout",
        "ELU",
        "EinsumDense",
        "Embedding",
        "Equalization",
        "Flatten",
        "GRU",
        "GRUCell",
        "GaussianDropout",
        "GaussianNoise",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "GroupNormalization",
        "GroupQueryAttention",
        "HashedCrossing",
        "Hashing",
        "Identity",
        "InputLayer",
        "IntegerLookup",
        "LSTM",
        "LSTMCell",
        "LayerNormalization",
        "LeakyReLU",
        "Masking",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "MelSpectrogram",
        "Maximum",
        "Minimum",
        "MixUp",
        "MultiHeadAttention",
        "Multiply",
        "Normalization",
        "PReLU",
        "Permute",
        "Pipeline",
        "RMSNormalization",
        "RNN",
        "RandAugment",
        "RandomBrightness",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomContrast",
        "RandomElasticTransform",
        "RandomErasing",
        "RandomFlip",
        "RandomGaussianBlur",
        "RandomGrayscale",
        "RandomHue",
        "RandomInvert",
        "RandomPerspective",
        "RandomPosterization",
        "RandomRotation",
        "RandomSaturation",
        "RandomSharpness",
        "RandomShear",
        "RandomTranslation",
        "RandomZoom",
        "ReLU",
        "RepeatVector",
        "Rescaling",
        "Reshape",
        "Resizing",
        "ReversibleEmbedding",
        "STFTSpectrogram",
        "SeparableConv1D",
        "SeparableConv2D",
        "SimpleRNN",
        "SimpleRNNCell",
        "Softmax",
        "Solarization",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "StackedRNNCells",
        "StringLookup",
        "Subtract",
        "TextVectorization",
        "TimeDistributed",
        "UnitNormalization",
        "UpSampling1D",
        "UpSampling2D",
        "UpSampling3D",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "ZeroPadding3D",
    ],
    "losses": [
        "BinaryCrossentropy",
        "BinaryFocalCrossentropy",
        "CTC",
        "CategoricalCrossentropy",
        "CategoricalFocalCrossentropy",
        "CategoricalGeneralizedCrossEntropy",
        "CategoricalHinge",
        "Circle",
        "CosineSimilarity",
        "Dice",
        "Hinge",
        "Huber",
        "KLDivergence",
        "LogCosh",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredError",
        "MeanSquaredLogarithmicError",
        "Poisson",
        "SparseCategoricalCrossentropy",
        "SquaredHinge",
        "Tversky",
    ],
    "metrics": [
        "AUC",
        "Accuracy",
        "BinaryAccuracy",
        "BinaryCrossentropy",
        "BinaryIoU",
        "CategoricalAccuracy",
        "CategoricalCrossentropy",
        "CategoricalHinge",
        "ConcordanceCorrelation",
        "CosineSimilarity",
        "F1Score",
        "FBetaScore",
        "FalseNegatives",
        "FalsePositives",
        "Hinge",
        "IoU",
        "KLDivergence",
        "LogCoshError",
        "Mean",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanIoU",
        "MeanSquaredError",
        "MeanSquaredLogarithmicError",
        "OneHotIoU",
        "OneHotMeanIoU",
        "PearsonCorrelation",
        "Poisson",
        "Precision",
        "PrecisionAtRecall",
        "R2Score",
        "Recall",
        "RecallAtPrecision",
        "RootMeanSquaredError",
        "SensitivityAtSpecificity",
        "SparseCategoricalAccuracy",
        "SparseCategoricalCrossentropy",
        "SparseTopKCategoricalAccuracy",
        "SpecificityAtSensitivity",
        "SquaredHinge",
        "Sum",
        "TopKCategoricalAccuracy",
        "TrueNegatives",
        "TruePositives",
    ],
    "optimizers": [
        "Adadelta",
        "Adafactor",
        "Adagrad",
        "Adam",
        "AdamW",
        "Adamax",
        "Ftrl",
        "Lamb",
        "Lion",
        "LossScaleOptimizer",
        "MultiOptimizer",
        "Muon",
        "Nadam",
        "OptimizerMap",
        "RMSprop",
        "SGD",
        "ScheduleFreeAdamW",
    ],
    "schedules": [
        "CosineDecay",
        "CosineDecayRestarts",
        "ExponentialDecay",
        "InverseTimeDecay",
        "PiecewiseConstantDecay",
        "PolynomialDecay",
    ],
    "initializers": [
        "Constant",
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "Identity",
        "LecunNormal",
        "LecunUniform",
        "Ones",
        "Orthogonal",
        "RandomNormal",
        "RandomUniform",
        "STFT",
        "TruncatedNormal",
        "VarianceScaling",
        "Zeros",
    ],
    "regularizers": ["L1", "L1L2", "L2", "OrthogonalRegularizer"],
    "constraints": ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"],
}
"""The classes that both have, by package."""

ANY: tuple[Any, ...] = ("any",)
ONLY_KERAS: dict[str, tuple[Any, ...]] = {
    # how Keras computes, not what
    "name": ANY,
    "unroll": ANY,
    "use_cudnn": ANY,
    "data_format": ("channels_last", None),
    "dtype": ANY,
    "vocabulary_dtype": ANY,
    "vocabulary_size": ANY,
    # only with others
    "lora_alpha": ANY,
    # what Keras can do besides
    "activity_regularizer": (None,),
    "axis": (-1,),
    "beta_constraint": (None,),
    "beta_regularizer": (None,),
    "center": (True,),
    "gamma_constraint": (None,),
    "gamma_regularizer": (None,),
    "encoding": ("utf-8",),
    "from_sorted_ids": (False,),
    "label_weights": (None,),
    "lora_rank": (None,),
    "multi_label": (False,),
    "num_labels": (None,),
    "oov_method": ("floormod",),
    "optional": (False,),
    "quantization_config": (None,),
    "rms_scaling": (False,),
    "salt": (None,),
    "scale": (True,),
    "sparse": (False,),
    "sparse_y_pred": (True,),
    "sparse_y_true": (True,),
    "zero_output_for_mask": (False,),
}
"""Arguments that classes here may not have, and the values with which Keras computes the same; `ANY` for all. A file
with another value is refused."""

ONLY_HERE: dict[str, Any] = {
    "ceil_mode": False,
    "count_include_pad": False,
    "gradient_noise": None,
    "learn_initial_state": False,
    "padding_mode": "zeros",
    "peephole": False,
    "projection_units": None,
    "return_argmax": False,
    "truncate_gradient": None,
    "weights": None,
}
"""Arguments that no class of Keras has, and the values that mean the same there; with others, nothing is written."""

ONLY_HERE_IN: dict[str, dict[str, Any]] = {
    **{f"{kind}1D": {"data_format": None} for kind in ("Cropping", "SpatialDropout", "UpSampling")},
    "RandomGrayscale": {"seed": None},
    **{f"{t}{p}": {"class_id": None, "top_k": None} for t in ("True", "False") for p in ("Negatives", "Positives")},
}
"""The same, for arguments that other classes of Keras have."""

REDUCED: dict[str, tuple[str, ...]] = {
    "Discretization": ("bin_boundaries", "num_bins", "epsilon", "output_mode", "name", "dtype"),
    "HashedCrossing": ("num_bins", "output_mode", "name"),
    "Hashing": ("num_bins", "mask_value", "salt", "output_mode", "name"),
    "Pipeline": ("layers", "name"),
    **{f"SpatialDropout{n}D": ("rate", "seed", "data_format", "name", "dtype") for n in (1, 2, 3)},
}
"""Classes of Keras that take nothing but these arguments, or choose the dtype on their own."""


DIFFERENT = {
    "FeatureSpace": "files of Keras describe the layers of its FeatureSpace in another form",
    "RandomCrop": "outside of training, Keras returns whole images, and portanet their centers",
    "SpectralNormalization": "Keras normalizes the kernel in training alone, and portanet in every call",
}
"""Classes that both have, and that compute something else from the same weights, or are described otherwise."""

EARLIER = {"OrthogonalInitializer": "Orthogonal"}
"""Names that classes of Keras had before 3.9, and those that they have."""

CELLS = {"LSTM": "LSTMCell", "GRU": "GRUCell", "SimpleRNN": "SimpleRNNCell"}
"""Layers that pass arguments on to a cell."""

CONVERTED: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("MultiHeadAttention", "output_shape"): lambda sizes: (
        sizes[0] if isinstance(sizes, list) and len(sizes) == 1 else sizes
    )
}
"""Arguments that Keras saves in another form, by class and name."""


def shared(package: str, name: str) -> bool:
    """Whether both have a class of this name in a package."""
    return name in CLASSES.get(package, ())


def is_shared(name: str) -> bool:
    """Whether both have a class of this name in any package."""
    return any(name in names for names in CLASSES.values())


def same_in_keras(argument: str, value: Any) -> bool:
    """Whether an argument that a class here does not have has a value with which Keras computes the same."""
    allowed = ONLY_KERAS.get(argument)
    return allowed is ANY or (allowed is not None and any(type(value) is type(a) and value == a for a in allowed))


def only_here(cls: str) -> dict[str, Any]:
    """The arguments of a class that Keras's does not have, and their neutral values."""
    return ONLY_HERE | ONLY_HERE_IN.get(cls, {})
