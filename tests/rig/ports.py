"""Ports of this machine that are kept free for whoever is to listen there later."""

from __future__ import annotations

import socket


def keep_port(port: int = 0) -> socket.socket:
    """A socket that keeps a port, by default any that is free, from being given to somebody else by chance.

    Connections to it are refused. Servers, which reuse addresses, can listen there all the same.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", port))
    return keeper
