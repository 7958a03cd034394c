"""Networks as scikit-learn estimators, for pipelines, grid search and cross-validation; needs the extra `sklearn`."""

try:
    import sklearn.utils.validation  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"portanet.estimators needs scikit-learn 1.7 or later. Type: pip install 'portanet[sklearn]'. Received: {error}"
    ) from error

from portanet.estimators.classifier import PortanetClassifier
from portanet.estimators.regressor import PortanetRegressor

__all__ = ["PortanetClassifier", "PortanetRegressor"]
