"""Keeps this process off the network: every connection and look-up that isn't loopback fails, and is noted.

On PYTHONPATH of the test run's child processes, where Python imports it at start; the test run imports it itself. It
guards Python's sockets; Chromium is kept off the network by its own flags.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

blocked: list[str] = []
"""What was tried, in order."""


class BlockedConnectionError(OSError):
    """Something tried to leave this machine during a test."""


def is_loopback(host: object) -> bool:
    """Return whether a host is this machine ("" and None stand for it where a server binds)."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "localhost.", "0.0.0.0", "::"):
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check(host: object, what: str) -> None:
    if not is_loopback(host):
        blocked.append(f"{what} {host!r}")
        message = f"the test suite blocks the network: {what} {host!r}; tests may talk to 127.0.0.1 only"
        sys.stderr.write(f"{message}\n")
        raise BlockedConnectionError(message)


class _GuardedSocket(socket.socket):
    def _guard(self, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0], "connect to")

    def connect(self, address: Any) -> None:
        self._guard(address)
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        self._guard(address)
        return super().connect_ex(address)

    def sendto(self, data: Any, *rest: Any) -> int:
        self._guard(rest[-1])
        return super().sendto(data, *rest)


def _guarded(name: str) -> Any:
    original = getattr(socket, name)

    def look_up(host: Any, *rest: Any, **named: Any) -> Any:
        _check(host, "look up")
        return original(host, *rest, **named)

    return look_up


def install() -> None:
    """Put the guard in place; asyncio's and every library's sockets are made of `socket.socket`."""
    if socket.socket is not _GuardedSocket:
        socket.socket = _GuardedSocket  # type: ignore[misc]
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            setattr(socket, name, _guarded(name))


install()
