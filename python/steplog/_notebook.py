"""Whether the script is a notebook, and which."""

from __future__ import annotations

import os
import sys


def in_notebook() -> bool:
    """Whether cells of a notebook are being run; IPython is asked only if somebody loaded it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and bool(shell.has_trait("kernel"))


def notebook_path() -> str | None:
    """Where the notebook stands that is being run, as far as anybody has said."""
    if not in_notebook():
        return None
    names = ("STEPLOG_NOTEBOOK_NAME", "WANDB_NOTEBOOK_NAME", "JPY_SESSION_NAME")
    of_editor = sys.modules["IPython"].get_ipython().user_ns.get("__vsc_ipynb_file__")
    told = (*map(os.environ.get, names), of_editor)
    return next((str(path) for path in told if path and str(path).endswith(".ipynb")), None)
