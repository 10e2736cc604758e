"""The little HTTP that adapters need to ask a tracker's own server."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def get(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, headers=headers or {})
    with urllib.request.urlopen(request, timeout=300) as answer:
        return bytes(answer.read())


def wait_for(url: str, seconds: float = 90) -> None:
    """Returns when the server answers at all."""
    end = time.monotonic() + seconds
    while True:
        try:
            get(url)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
