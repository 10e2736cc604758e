"""What a config can be given as: a mapping, an object with attributes, flags of absl, a YAML file."""

from __future__ import annotations

import os
from collections.abc import Mapping

from steplog._native import read_config_file
from steplog.errors import InvalidDataError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def to_dict(config: Any) -> dict[str, Any]:
    """The entries of a config in any of its forms, as a new dict.

    Raises ``ConfigError`` for a YAML file that is missing or wrong, ``InvalidDataError`` for anything else.
    """
    from steplog._config import Config

    if config is None:
        return {}
    if isinstance(config, (str, os.PathLike)):
        return read_config_file(config)
    if isinstance(config, Config):
        return config.as_dict()
    if isinstance(config, Mapping):
        return dict(config)
    # absl is recognised by name: it is the script's, not ours.
    if getattr(config, "__name__", None) == "absl.flags":
        config = config.FLAGS
    if type(config).__module__ == "absl.flags._flagvalues":
        return dict(config.flag_values_dict())
    if hasattr(config, "__dict__"):
        # A class used as a namespace also has what Python writes into every class.
        return {name: value for name, value in vars(config).items() if not name.startswith("__")}
    raise InvalidDataError(
        f"the config is a {type(config).__name__}, not a dict, an object with attributes or the path of a YAML file"
    )


def select(config: dict[str, Any], include: Iterable[str] | None, exclude: Iterable[str] | None) -> dict[str, Any]:
    """The entries that ``config_include_keys`` names, or those that ``config_exclude_keys`` does not name."""
    if include and exclude:
        raise UsageError("config_include_keys and config_exclude_keys cannot be given together")
    if include:
        wanted = set(include)
        return {key: value for key, value in config.items() if key in wanted}
    unwanted = set(exclude or ())
    return {key: value for key, value in config.items() if key not in unwanted}
