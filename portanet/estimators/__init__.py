"""Networks as scikit-learn estimators, for pipelines, grid search and cross-validation; needs the extra `sklearn`."""

from portanet.extras import install_command

try:
    import sklearn.utils.validation  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"portanet.estimators needs scikit-learn 1.7 or later. Type: {install_command('sklearn')}. Received: {error}"
    ) from error

from portanet.estimators.classifier import PortanetClassifier
from portanet.estimators.regressor import PortanetRegressor

__all__ = ["PortanetClassifier", "PortanetRegressor"]
