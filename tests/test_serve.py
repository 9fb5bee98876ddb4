"""The server as a process: SIGTERM while it is busy, and while a chat page is open."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from assistant.store import Store

PROGRAM = Path(__file__).parent / "serve_fake.py"


@contextmanager
def process(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a server process and its address."""
    server = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROGRAM.parent.parent,
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                httpx.get(f"{url}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield server, url
    finally:
        server.kill()
        server.wait()


def test_sigterm_under_load_finishes_what_was_accepted_and_loses_no_feedback(tmp_path: Path) -> None:
    answered: list[int] = []
    rated: list[int] = []
    asked = 12

    def ask(client: httpx.Client, path: str, question: str) -> None:
        answered.append(client.post(f"{url}{path}", json={"question": question}, timeout=60).status_code)

    def rate(client: httpx.Client) -> None:
        while True:
            try:
                rated.append(client.post(f"{url}/api/v1/feedback", json={"rating": "up"}, timeout=60).status_code)
            except httpx.TransportError:
                return  # not accepted: the door is closed

    with process(tmp_path) as (server, url):
        clients = [httpx.Client(verify=False) for _ in range(asked + 3)]
        kinds = (("/api/v1/ask", "q"), ("/api/v1/ask/stream", "q"), ("/api/v1/ask", "zinc?")) * (asked // 3)
        threads = [
            threading.Thread(target=ask, args=(client, *kind)) for client, kind in zip(clients, kinds, strict=False)
        ]
        threads += [threading.Thread(target=rate, args=(client,)) for client in clients[asked:]]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while (waiting(url) < asked or len(rated) < 4) and time.monotonic() < until:
            time.sleep(0.05)
        assert waiting(url) == asked and answered == []
        server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        (tmp_path / "go").touch()
        server.wait(30)
        for thread in threads:
            thread.join(10)
    assert answered == [200] * asked
    assert set(rated) == {202}
    with Store(f"sqlite:///{tmp_path / 'feedback.db'}") as store:
        report = store.report()
    assert len(rated) <= report.ups <= len(rated) + 3  # three at most were stored as their clients were cut off
    assert sum(item.count for item in report.unanswered) == asked // 3


def waiting(url: str) -> float:
    """Return how many questions the server has accepted and not answered."""
    text = httpx.get(f"{url}/metrics").text
    return sum(float(line.split()[1]) for line in text.split("\n") if re.match("assistant_(answering|waiting) ", line))


def test_an_open_chat_page_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with process(tmp_path, "page") as (server, url):
        with httpx.stream("GET", f"{url}/gradio_api/heartbeat/abc", timeout=30) as response:
            assert "ALIVE" in next(response.iter_text())
            started = time.monotonic()
            server.send_signal(signal.SIGTERM)
            server.wait(20)
            assert time.monotonic() - started < 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path) as (server, _):
        server.send_signal(number)
        server.wait(5)
