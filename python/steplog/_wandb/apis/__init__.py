"""Reading from a server."""

from steplog import Api

from . import public

__all__ = ["Api", "public"]
