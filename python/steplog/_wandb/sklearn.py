"""Charts of scikit-learn models, where wandb has them; see ``wandb.integration.sklearn``."""

from .integration.sklearn import *  # noqa: F403
from .integration.sklearn import __all__ as __all__
