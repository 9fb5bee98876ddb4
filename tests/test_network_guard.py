"""The suite can't reach the network, and a test that tries fails."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import urllib.request

import pytest
import sitecustomize as netguard

pytestmark = pytest.mark.tries_network


def test_a_connection_elsewhere_is_refused_and_noted() -> None:
    before = len(netguard.blocked)
    with socket.socket() as plain, pytest.raises(netguard.BlockedConnectionError, match="blocks the network"):
        plain.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="blocks the network"):
        urllib.request.urlopen("http://example.org/", timeout=5)
    with pytest.raises(OSError, match="blocks the network"):
        asyncio.run(asyncio.open_connection("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(OSError, match="blocks the network"):
        datagrams.sendto(b"hello", ("192.0.2.1", 53))
    assert len(netguard.blocked) == before + 4


def test_loopback_is_let_through() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        server.accept()[0].close()
    assert socket.getaddrinfo("localhost", 80)


def test_a_child_process_is_guarded_too() -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert child.returncode == 1 and "blocks the network" in child.stderr
