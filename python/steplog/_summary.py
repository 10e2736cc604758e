"""The summary of a run: the latest value of every metric, unless one was set by hand."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView

from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog._native import NativeRun


class Summary(Mapping["str", "Any"]):
    """One value for each metric, the latest unless it was set by hand.

    A value set by hand stays, whatever is logged afterwards, until it is deleted or set again; with the setting
    ``sticky_summary=False`` the next logged value takes its place. ``None`` and NaN set by hand are no values: they
    delete. Nested dicts come as views that write through. A finished run's summary can still be read.
    """

    __slots__ = ("_path", "_run")
    _run: NativeRun
    _path: list[str]

    def __init__(self, run: NativeRun, path: list[str] | None = None) -> None:
        object.__setattr__(self, "_run", run)
        object.__setattr__(self, "_path", path or [])

    def _entries(self) -> dict[str, Any]:
        entries = self._run.read_summary()
        for part in self._path:
            entries = entries.get(part, {})
            if not isinstance(entries, dict):
                return {}
        return {key: value for key, value in entries.items() if key != "_wandb"}

    def __getitem__(self, key: str) -> Any:
        value = self._entries()[key]
        return Summary(self._run, [*self._path, key]) if isinstance(value, dict) else value

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return self[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __setattr__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        self._run.remove_summary([*self._path, key])

    def __delattr__(self, key: str) -> None:
        del self[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    def keys(self) -> KeysView[str]:
        """The keys."""
        return self._entries().keys()

    def values(self) -> ValuesView[Any]:
        """The values; nested ones as plain dicts."""
        return self._entries().values()

    def items(self) -> ItemsView[str, Any]:
        """The entries; nested ones as plain dicts."""
        return self._entries().items()

    def as_dict(self) -> dict[str, Any]:
        """A copy as plain nested dicts."""
        return self._entries()

    def update(self, values: Mapping[str, Any]) -> None:
        """Set several keys by hand, all or none.

        Raises:
            InvalidDataError: ``values`` is no mapping, a key is not a str, or a value cannot be kept.
            UsageError: The run is finished.
        """
        if not isinstance(values, Mapping):
            raise InvalidDataError(f"summary.update() takes a dict, not a {type(values).__name__}")
        self._run.update_summary(self._path, dict(values))

    def __repr__(self) -> str:
        return repr(self._entries())
