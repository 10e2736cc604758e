"""The config of a run, as a dict that only grows."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog._native import NativeRun


class Config(Mapping["str", "Any"]):
    """What the run was set up with.

    Keys can be read and set as items and as attributes. A key can be set again to an equal value; another value needs
    ``update(..., allow_val_change=True)``, and raises ``ConfigError`` without.
    """

    __slots__ = ("_run",)
    _run: NativeRun

    def __init__(self, run: NativeRun) -> None:
        object.__setattr__(self, "_run", run)

    def _entries(self) -> dict[str, Any]:
        return {key: value for key, value in self._run.read_config().items() if not key.startswith("_")}

    def __getitem__(self, key: str) -> Any:
        return self._run.read_config()[key]

    def __getattr__(self, key: str) -> Any:
        try:
            return self._run.read_config()[key]
        except KeyError:
            raise AttributeError(f"the config has no key {key!r}") from None

    def __setitem__(self, key: str, value: Any) -> None:
        self._run.update_config({key: value}, False)

    def __setattr__(self, key: str, value: Any) -> None:
        self._run.update_config({key: value}, False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    def keys(self) -> KeysView[str]:
        """The keys, without those that begin with an underscore."""
        return self._entries().keys()

    def items(self) -> ItemsView[str, Any]:
        """The entries, without those whose key begins with an underscore."""
        return self._entries().items()

    def as_dict(self) -> dict[str, Any]:
        """A copy, with all keys."""
        return self._run.read_config()

    def update(self, values: Mapping[str, Any], allow_val_change: bool = False) -> None:
        """Set several keys, all or none; nested dicts are replaced whole.

        Raises ``ConfigError`` if a key holds another value and ``allow_val_change`` is false.
        """
        self._run.update_config(dict(values), bool(allow_val_change))

    def setdefaults(self, values: Mapping[str, Any]) -> None:
        """Set the keys that are not there yet."""
        there = self._run.read_config()
        self._run.update_config({key: value for key, value in values.items() if key not in there}, False)

    def __repr__(self) -> str:
        return repr(self._run.read_config())
