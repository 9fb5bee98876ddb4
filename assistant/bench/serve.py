"""Load on the HTTP API from a second process, beside a bare application that only encodes the question."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.bench.hostile import attack
from assistant.bench.load import CLIENTS, Load, load
from assistant.bench.phone import Phone, measure
from assistant.config import Settings
from assistant.errors import ModelError

if TYPE_CHECKING:
    from fastapi import FastAPI


SOAKING = 8
"""Clients of a longer load."""


@dataclass(frozen=True, slots=True)
class ServeFigures:
    """The API beside the bare encoder.

    Attributes:
        api: The API when it works out every answer.
        again: The API as delivered, which gives answers again that it just gave; here that is nearly all of them.
        hostile: Hostile requests sent.
        hostile_5xx: How many of them got a 5xx, a hang or a connection closed without a word.
        memory: Resident memory of the API's process in MiB: after the first load, after the hostile requests, and at
            the end.
        widget: Bytes of the widget, gzip.
        lasting: A longer load, where one was asked for.
        phone: What a visitor with a slow phone waits for; None where that can't be measured.
    """

    api: tuple[Load, ...]
    again: tuple[Load, ...]
    bare: tuple[Load, ...]
    hostile: int
    hostile_5xx: int
    memory: tuple[float, float, float]
    widget: int
    phone: Phone | None = None
    lasting: Load | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-ready values."""
        return dataclasses.asdict(self)

    def table(self) -> str:
        """Return the figures as Markdown."""
        lines = [
            "| clients | | req/s | median, p95 (ms) | share of the bare encoder | errors |",
            "|---|---|---|---|---|---|",
        ]
        rows = (
            ("bare encoder", self.bare),
            ("API, every answer worked out", self.api),
            ("API as delivered", self.again),
        )
        for at, bare in enumerate(self.bare):
            for name, loads in rows:
                load = loads[at]
                lines.append(
                    f"| {load.clients} | {name} | {load.per_second:.1f} | {load.median:.0f}, {load.p95:.0f} | "
                    f"{load.per_second / bare.per_second:.0%} | {load.errors} |"
                )
        lines += [
            "",
            f"Hostile requests: {self.hostile}, of which {self.hostile_5xx} got a 5xx or no answer.",
            f"Memory of the API: {self.memory[0]:.0f} MiB after the first load, {self.memory[1]:.0f} MiB after the "
            f"hostile requests, {self.memory[2]:.0f} MiB at the end.",
            f"Widget: {self.widget} bytes gzip.",
        ]
        if self.lasting:
            lines.append(
                f"Lasting load by {self.lasting.clients} clients: {self.lasting.requests} answers, "
                f"{self.lasting.errors} errors, {self.lasting.per_second:.1f} a second."
            )
        if self.phone:
            lines.append(
                f"On a throttled phone: the widget's button after {self.phone.button:.1f} s, the first statement "
                f"{self.phone.first:.1f} s after the question was sent."
            )
        return "\n".join(lines)


def bench_serve(settings: Settings, *, seconds: float = 10.0, soak: float = 0.0, hostile: int = 5000) -> ServeFigures:
    """Return what both applications do under the same load, one after the other.

    Args:
        settings: Those of the API; rate limits are off, and the queue holds every client.
        seconds: Time of each load.
        soak: Seconds of load with eight clients before memory is read again.
        hostile: Hostile requests, the same ones in every run.

    Raises:
        ModelError: A server did not start.
    """
    from assistant.web.files import WIDGET

    with _process(_bare, settings) as (port, _):
        bare = tuple(load(port, "/encode", clients, seconds) for clients in CLIENTS)
    with tempfile.TemporaryDirectory() as folder:
        open_to_all = dataclasses.replace(
            settings,
            rate_limit="off",
            rate_limit_total="off",
            queue=max(CLIENTS),
            database_url=f"sqlite:///{folder}/feedback.db",
        )
        with _process(_api, dataclasses.replace(open_to_all, remember=0)) as (port, _):
            api = tuple(load(port, "/api/v1/ask", clients, seconds) for clients in CLIENTS)
            phone = measure(f"http://127.0.0.1:{port}")
        with _process(_api, open_to_all) as (port, pid):
            again = tuple(load(port, "/api/v1/ask", clients, seconds) for clients in CLIENTS)
            before = _memory(pid)
            failed = asyncio.run(attack(port, hostile))
            attacked = _memory(pid)
            lasting = load(port, "/api/v1/ask", SOAKING, soak) if soak else None
            after = _memory(pid)
    widget = len(gzip.compress((WIDGET / "widget.js").read_bytes(), 9))
    return ServeFigures(api, again, bare, hostile, failed, (before, attacked, after), widget, phone, lasting)


def _api(settings: Settings, ready: Connection) -> None:
    """Run in a process: serve the API."""
    from assistant.pipeline import Assistant
    from assistant.web.serve import build

    with Assistant.open(settings) as assistant:
        _run(build(assistant, page=False), ready)


def _bare(settings: Settings, ready: Connection) -> None:
    """Run in a process: serve an application that only encodes the question."""
    from fastapi import Body, FastAPI

    from assistant.embed import SentenceTransformerEmbedder

    app, embedder = FastAPI(), SentenceTransformerEmbedder(settings.embedder, settings.thread_count)

    @app.post("/encode")
    def encode(question: str = Body(embed=True)) -> list[float]:
        vector: list[float] = embedder.encode([question])[0].tolist()
        return vector

    _run(app, ready)


def _run(app: FastAPI, ready: Connection) -> None:
    from assistant.web.serve import Server

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        ready.send(listener.getsockname()[1])
        Server(app, "127.0.0.1", 0).run([listener])


@contextmanager
def _process(serve: Callable[[Settings, Connection], None], settings: Settings) -> Iterator[tuple[int, int]]:
    """Yield port and process id of an application in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(settings, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(120):
            raise ModelError("the server to be measured did not start within 120 s; try study-assistant serve")
        port: int = ours.recv()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, process.pid or 0
    finally:
        process.terminate()
        process.join(30)


def _memory(pid: int) -> float:
    """Return a process's resident memory in MiB, 0 where the system doesn't say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().split("\n")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
