"""What the script prints is recorded, and printed as ever."""

from __future__ import annotations

import os
import sys
from weakref import WeakKeyDictionary

from steplog._native import NativeWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from steplog._run import Run

#: The streams, each with its descriptor.
STREAMS = {"stdout": 1, "stderr": 2}

#: Of each run the streams that are caught for it: name, stream, and what stands in the place of its ``write``.
_caught: WeakKeyDictionary[Run, list[tuple[str, Any, NativeWriter]]] = WeakKeyDictionary()


def prepare(mode: object) -> None:
    """Before a run begins: let go what was printed before and waits in a buffer, where it would be caught."""
    mode = mode or os.environ.get("STEPLOG_CONSOLE") or os.environ.get("WANDB_CONSOLE")
    if mode == "redirect":
        _flush()


def begin(run: Run) -> None:
    """Begin to record for a run what is printed."""
    mode = run.console_word
    if mode == "off":
        return
    caught = []
    for name, descriptor in STREAMS.items():
        stream = getattr(sys, name, None)
        if stream is None or (mode == "redirect" and _leads_to(stream, descriptor)):
            continue
        writer = _catch(name, stream)
        if writer is not None:
            writer.add(run)
            caught.append((name, stream, writer))
    _caught[run] = caught


def end(run: Run) -> None:
    """Record for a run no more; the last one puts the streams back, where nobody else has put something over them."""
    if run.console_word == "redirect":
        _flush()
    for name, stream, writer in _caught.pop(run, ()):
        if writer.remove(run):
            continue
        replaced = getattr(sys, name, None)
        if isinstance(replaced, _Stream) and replaced.write is writer:
            setattr(sys, name, stream)
        elif _own(stream).get("write") is writer:
            if writer.is_own:
                stream.write = writer.before
            else:
                del stream.write


def _catch(name: str, stream: Any) -> NativeWriter | None:
    """Put ourselves into the way of what is written to a stream, which stays the same object if that can be."""
    try:
        write = stream.write
        if isinstance(write, NativeWriter):
            return write
    except Exception:
        return None
    writer = NativeWriter(write, "write" in _own(stream), name == "stderr")
    try:
        stream.write = writer
    except Exception:
        setattr(sys, name, _Stream(stream, writer))
    return writer


def _own(stream: Any) -> dict[str, Any]:
    """The attributes of the object itself."""
    own = getattr(stream, "__dict__", None)
    return own if isinstance(own, dict) else {}


def _leads_to(stream: Any, descriptor: int) -> bool:
    """Whether a stream writes to a file descriptor."""
    try:
        return bool(stream.fileno() == descriptor)
    except Exception:
        return False


def _flush() -> None:
    for name in STREAMS:
        try:
            getattr(sys, name).flush()
        except Exception:
            # Closed, not there, or nobody reads it: whoever prints next is told.
            continue


class _Stream:
    """In the place of a stream whose ``write`` cannot be set."""

    def __init__(self, stream: Any, write: NativeWriter) -> None:
        self._stream = stream
        self.write = write

    def writelines(self, lines: Iterable[str], /) -> None:
        for line in lines:
            self.write(line)

    def __iter__(self) -> Any:
        return iter(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
