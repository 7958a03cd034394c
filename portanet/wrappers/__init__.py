"""Compiled models as scikit-learn estimators, as in `keras.wrappers`; needs the extra `sklearn`."""

try:
    import sklearn.utils.validation  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"portanet.wrappers needs scikit-learn 1.7 or later. Type: pip install 'portanet[sklearn]'. Received: {error}"
    ) from error

from portanet.wrappers.scikit_learn import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
