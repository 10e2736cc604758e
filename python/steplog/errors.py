"""What steplog raises."""

from __future__ import annotations

__all__ = ["AuthenticationError", "CommError", "ConfigError", "Error", "InvalidDataError", "UsageError"]


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
