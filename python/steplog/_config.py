"""The config of a run: a dict that only grows."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from steplog._config_source import to_dict
from steplog._notebook import in_notebook
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, KeysView, ValuesView
    from typing import Any, NoReturn

    from steplog._run import Run

#: What a dict can do and a config cannot.
_REMOVALS = ("clear", "pop", "popitem")


class Config:
    """What the run was set up with.

    Keys can be read and set as items and as attributes. A key can be set again to an equal value; another value needs
    ``update(..., allow_val_change=True)`` or ``init(allow_val_change=True)``, and raises ``ConfigError`` without. In
    notebooks, where cells are run again and again, changes are free.

    Nested dicts and lists come as plain ones: editing them in place shows here, but is not recorded.
    """

    __slots__ = ("_allow_val_change", "_recorded", "_run", "_values")
    _run: Run
    _allow_val_change: bool
    #: What the run has recorded, and the copy of it that is handed out and may be edited in place.
    _recorded: dict[str, Any]
    _values: dict[str, Any]

    def __init__(self, run: Run, allow_val_change: bool = False) -> None:
        object.__setattr__(self, "_run", run)
        object.__setattr__(self, "_allow_val_change", allow_val_change)
        object.__setattr__(self, "_recorded", run.read_config())
        object.__setattr__(self, "_values", run.read_config())

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __getattr__(self, key: str) -> Any:
        if key in self._values:
            return self._values[key]
        if key in _REMOVALS:
            raise AttributeError(f"the config has no {key}(): its keys cannot be removed")
        raise AttributeError(f"the config has no key {key!r}")

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __setattr__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> NoReturn:
        raise InvalidDataError(f"the config key {key!r} cannot be deleted: what a run was set up with stays")

    def __delattr__(self, key: str) -> NoReturn:
        del self[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> NoReturn:
        raise TypeError("the config has no len(): some of its keys are hidden; use len(config.keys())")

    def __bool__(self) -> bool:
        return True

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key.

        Args:
            key: The key; a hidden one, that begins with an underscore, is found too.
            default: What is answered when there is no such key.
        """
        return self._values.get(key, default)

    def keys(self) -> KeysView[str]:
        """The keys, without those that begin with an underscore."""
        return self._shown().keys()

    def values(self) -> ValuesView[Any]:
        """The values, without those whose key begins with an underscore."""
        return self._shown().values()

    def items(self) -> ItemsView[str, Any]:
        """The entries, without those whose key begins with an underscore."""
        return self._shown().items()

    def as_dict(self) -> dict[str, Any]:
        """A copy, with all keys."""
        return dict(self._values)

    def update(self, values: Any, allow_val_change: bool | None = None) -> None:
        """Set several keys, all or none; nested dicts are replaced whole.

        An ``Artifact`` is used by the run, as ``Run.use_artifact`` says, and the config keeps its name and version.

        Args:
            values: Whatever ``init(config=...)`` takes: a mapping, an object with attributes, flags, a YAML file.
            allow_val_change: Whether a key may get another value. Default: what ``init`` was told; in notebooks yes.

        Raises:
            ConfigError: A key holds another value; the message names the key and both values.
            InvalidDataError: ``values`` is no mapping, or a key is not a str.
            UsageError: The run is finished.
        """
        if allow_val_change is None:
            allow_val_change = self._allow_val_change or in_notebook()
        self._run.update_config(self._with_uses(to_dict(values)), bool(allow_val_change))
        self._take_over()

    def setdefaults(self, values: Any) -> None:
        """Set the keys that are not there yet; the others keep their values.

        Args:
            values: As in ``update``.

        Raises:
            InvalidDataError: ``values`` is no mapping, or a key is not a str.
            UsageError: The run is finished.
        """
        self._run.set_config_defaults(self._with_uses(to_dict(values)))
        self._take_over()

    def _with_uses(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values, with which version it is in the place of each artifact; the run has used these."""
        if "steplog._artifact" not in sys.modules:
            return values
        from steplog._artifact_log import used_as

        return {key: used_as(self._run, key, value) for key, value in values.items()}

    def _shown(self) -> dict[str, Any]:
        return {key: value for key, value in self._values.items() if not key.startswith("_")}

    def _take_over(self) -> None:
        """Take over what was recorded; all else keeps its edits in place."""
        recorded = self._run.read_config()
        changed = [key for key, value in recorded.items() if key not in self._values or self._recorded[key] != value]
        if changed:
            copy = self._run.read_config()
            self._values.update((key, copy[key]) for key in changed)
        self._recorded.update(recorded)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        # A copy, or what another process gets, is what the config holds.
        return dict, (self.as_dict(),)

    def __repr__(self) -> str:
        return repr(self._values)


# A mapping to whoever asks, though its length is nobody's to know.
Mapping.register(Config)


class StaticConfig(Mapping["str", "Any"]):
    """A copy of a run's config that stays as it is; keys are attributes and items."""

    __slots__ = ("_values",)
    _values: dict[str, Any]

    def __init__(self, values: dict[str, Any]) -> None:
        object.__setattr__(self, "_values", values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__") or key not in self._values:
            raise AttributeError(f"the config has no key {key!r}")
        return self._values[key]

    def __setattr__(self, key: str, value: Any) -> NoReturn:
        raise AttributeError("config_static is a read-only copy; set run.config instead")

    def __setitem__(self, key: str, value: Any) -> NoReturn:
        raise AttributeError("config_static is a read-only copy; set run.config instead")

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self._values),)

    def __repr__(self) -> str:
        return repr(self._values)
