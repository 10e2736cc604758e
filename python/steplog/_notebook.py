"""Whether the script is a notebook."""

from __future__ import annotations

import sys


def in_notebook() -> bool:
    """Whether cells of a notebook are being run; IPython is asked only if somebody loaded it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and bool(shell.has_trait("kernel"))
