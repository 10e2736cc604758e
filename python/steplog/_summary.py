"""The summary of a run: the latest value of every metric, unless one was set by hand."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, MutableMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog._native import NativeRun


class Summary(MutableMapping["str", "Any"]):
    """One value for each metric, the latest unless it was set by hand.

    A value set by hand stays, whatever is logged afterwards, until it is deleted or set again. Nested dicts come as
    views that write through.
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
        if not isinstance(key, str):
            from steplog.errors import InvalidDataError

            raise InvalidDataError(f"the summary key {key!r} is a {type(key).__name__}, not a str")
        self._run.set_summary([*self._path, key], value.as_dict() if isinstance(value, Summary) else value)

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

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

    def items(self) -> ItemsView[str, Any]:
        """The entries; nested ones as plain dicts."""
        return self._entries().items()

    def as_dict(self) -> dict[str, Any]:
        """A copy as plain nested dicts."""
        return self._entries()

    def update(self, values: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Set several keys by hand."""
        if not isinstance(values, Mapping):
            from steplog.errors import InvalidDataError

            raise InvalidDataError(f"summary.update() takes a dict, not a {type(values).__name__}")
        for key, value in values.items():
            self[key] = value

    def __repr__(self) -> str:
        return repr(self._entries())
