"""Compiled models as scikit-learn estimators, as in `keras.wrappers`; needs the extra `sklearn`."""

from portanet.extras import install_command

try:
    import sklearn.utils.validation  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"portanet.wrappers needs scikit-learn 1.7 or later. Type: {install_command('sklearn')}. Received: {error}"
    ) from error

from portanet.wrappers.scikit_learn import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
