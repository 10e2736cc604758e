"""What steplog raises."""

from __future__ import annotations

__all__ = [
    "ArtifactFinalizedError",
    "ArtifactNotLoggedError",
    "AuthenticationError",
    "CommError",
    "ConfigError",
    "Error",
    "IntegrityError",
    "InvalidDataError",
    "NotFoundError",
    "UsageError",
    "WaitTimeoutError",
]


class Error(Exception):
    """The base of everything that steplog raises by itself."""

    @property
    def message(self) -> str:
        """The text of the error."""
        return str(self)


class UsageError(Error):
    """A call that makes no sense now, such as logging to a finished run."""


class InvalidDataError(UsageError, ValueError, TypeError):
    """Data or an argument that is refused; the refused call alone has no effect."""


class ConfigError(Error):
    """A config key already has another value, or a config file cannot be used."""


class CommError(Error):
    """The server refused, or could not be reached, where an answer was needed."""


class AuthenticationError(CommError):
    """The server does not know the API key, or does not let its owner do this: log in with ``steplog login``."""


# A ValueError too: that is what scripts for other servers expect of a path that leads nowhere.
class NotFoundError(CommError, ValueError):
    """The server does not have it: the message names its path."""


# ValueErrors and AttributeErrors too: the one is what scripts of old expect, the other lets hasattr() answer.
class ArtifactFinalizedError(UsageError, ValueError, AttributeError):
    """The artifact is finalized or logged: nothing more can be added to it; ``new_draft()`` of a version is open."""


class ArtifactNotLoggedError(UsageError, ValueError, AttributeError):
    """The artifact has no version yet: log it first, and ``wait()`` for it."""


class IntegrityError(Error, ValueError):
    """Content is not what it was: damaged, or changed since an artifact was made of it; the message names it."""


class WaitTimeoutError(Error, TimeoutError):
    """What was waited for did not happen in time; it may yet."""
