"""Load on the HTTP API from a second process, beside a bare application that only encodes the question."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
import multiprocessing
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.config import Settings
from assistant.errors import ModelError

if TYPE_CHECKING:
    from fastapi import FastAPI

CLIENTS = (1, 8, 32)
QUESTIONS = (
    "What did the study find?",
    "How many mothers took part in Vancouver?",
    "Was the B12 in breast milk linked to the babies' levels?",
    "Did the Cambodian mothers take a supplement?",
    "What are the limits of this study?",
    "How was vitamin B12 measured?",
    "Is vegan breast milk low in B12?",
    "What was the infants' median serum B12 in Canada?",
    "Does the study say anything about zinc?",
    "Who paid for it?",
    "How old were the babies?",
    "What should a breastfeeding mother take from this?",
)
"""Asked in turn: answered, refused and off-topic ones, so that no cache of one question can flatter the figures."""


@dataclass(frozen=True, slots=True)
class Load:
    """What so many clients got in so many seconds; times in milliseconds."""

    clients: int
    requests: int
    errors: int
    per_second: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class ServeFigures:
    """The API beside the bare encoder.

    Attributes:
        hostile: Hostile requests sent.
        hostile_5xx: How many of them got a 5xx, a hang or a connection closed without a word.
        memory: Resident memory of the API's process in MiB: after the first load, and at the end.
        widget: Bytes of the widget, gzip.
    """

    api: tuple[Load, ...]
    bare: tuple[Load, ...]
    hostile: int
    hostile_5xx: int
    memory: tuple[float, float]
    widget: int

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-ready values."""
        return dataclasses.asdict(self)

    def table(self) -> str:
        """Return the figures as Markdown."""
        lines = [
            "| clients | API req/s | median, p95 (ms) | bare encoder req/s | median, p95 (ms) | share | errors |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {a.clients} | {a.per_second:.1f} | {a.median:.0f}, {a.p95:.0f} | {b.per_second:.1f} | "
            f"{b.median:.0f}, {b.p95:.0f} | {a.per_second / b.per_second:.0%} | {a.errors + b.errors} |"
            for a, b in zip(self.api, self.bare, strict=True)
        ]
        lines += [
            "",
            f"Hostile requests: {self.hostile}, of which {self.hostile_5xx} got a 5xx or no answer.",
            f"Memory of the API: {self.memory[0]:.0f} MiB after the first load, {self.memory[1]:.0f} MiB at the end.",
            f"Widget: {self.widget} bytes gzip.",
        ]
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
        bare = tuple(_load(port, "/encode", clients, seconds) for clients in CLIENTS)
    with tempfile.TemporaryDirectory() as folder:
        open_to_all = dataclasses.replace(
            settings,
            rate_limit="off",
            rate_limit_total="off",
            queue=max(CLIENTS),
            database_url=f"sqlite:///{folder}/feedback.db",
        )
        with _process(_api, open_to_all) as (port, pid):
            api = tuple(_load(port, "/api/v1/ask", clients, seconds) for clients in CLIENTS)
            before = _memory(pid)
            failed = asyncio.run(_attack(port, hostile))
            if soak:
                lasting = _load(port, "/api/v1/ask", 8, soak)
                api = (*api[:-1], dataclasses.replace(api[-1], errors=api[-1].errors + lasting.errors))
            after = _memory(pid)
    widget = len(gzip.compress((WIDGET / "widget.js").read_bytes(), 9))
    return ServeFigures(api, bare, hostile, failed, (before, after), widget)


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


def _load(port: int, path: str, clients: int, seconds: float) -> Load:
    """Ask from so many connections for so many seconds, after a second that doesn't count."""
    asyncio.run(_clients(port, path, clients, 1.0))
    times, errors, took = asyncio.run(_clients(port, path, clients, seconds))
    ordered = sorted(times) or [0.0]
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Load(clients, len(times), errors, len(times) / took, statistics.median(ordered) * 1000, p95 * 1000)


async def _clients(port: int, path: str, clients: int, seconds: float) -> tuple[list[float], int, float]:
    times: list[float] = []
    errors = 0
    started = time.perf_counter()

    async def client(offset: int) -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = offset
        while time.perf_counter() - started < seconds:
            sent = time.perf_counter()
            writer.write(_request(path, json.dumps({"question": QUESTIONS[number % len(QUESTIONS)]}).encode()))
            status = await _status(reader)
            if status == 200:
                times.append(time.perf_counter() - sent)
            else:
                errors += 1
            number += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return times, errors, time.perf_counter() - started


async def _attack(port: int, requests: int) -> int:
    """Send hostile requests; return how many got a 5xx, nothing, or no end within ten seconds."""
    queue = iter(list(hostile_requests(requests)))
    failed = 0

    async def client() -> None:
        nonlocal failed
        for request in queue:
            try:
                async with asyncio.timeout(10):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(request)
                    failed += await _status(reader, bodiless=request.startswith(b"HEAD ")) >= 500
                    writer.close()
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
                failed += 1

    await asyncio.gather(*(client() for _ in range(8)))
    return failed


def hostile_requests(count: int) -> Iterator[bytes]:
    """Yield requests as no honest client sends them, the same ones each time.

    >>> len(set(hostile_requests(100)))
    100
    """
    chance = random.Random(20240501)
    alphabet = "a<>\"'`;&%$#{}[]()\\/|\0\u202e\u0301\U0001f600é中\n\r\t "
    wrong: Sequence[Any] = (None, True, -1, 1e308, [], {}, [[]], "", "x" * 2001, {"$gt": ""}, ["a"] * 50, "\ud83d")

    def text(longest: int) -> str:
        return "".join(chance.choice(alphabet) for _ in range(chance.randrange(1, longest)))

    for number in range(count):
        path = chance.choice(("/api/v1/ask", "/api/v1/ask/stream", "/api/v1/feedback"))
        kind = number % 8
        extra = f"X-Run: {number}\r\n".encode()
        rating = path.endswith("feedback")
        sound = {"rating": "up", "comment": text(300)} if rating else {"question": text(300)}
        if kind == 0:  # odd text where text belongs
            yield _request(path, json.dumps(sound).encode(), extra)
        elif kind == 1:  # odd values
            fields = {key: chance.choice(wrong) for key in ("question", "audience", "history", "study", text(9))}
            yield _request(path, json.dumps(fields).encode(), extra)
        elif kind == 2:  # no JSON
            yield _request(path, chance.randbytes(chance.randrange(1, 500)), extra)
        elif kind == 3:  # deep or long
            yield _request(path, chance.choice((b"[", b'{"a":', b"9", b'"')) * chance.randrange(1, 30_000), extra)
        elif kind == 4:  # odd addresses
            target = "".join(f"%{byte:02x}" for byte in chance.randbytes(chance.randrange(1, 60)))
            where = chance.choice(
                ("", "api/v1/studies/", "gradio_api/file=", "demo/", "api/v1/studies/28287490/sources/")
            )
            yield f"GET /{where}{target} HTTP/1.1\r\nHost: x\r\n".encode() + extra + b"\r\n"
        elif kind == 5:  # odd headers
            name = chance.choice(("Origin", "X-Forwarded-For", "Accept-Encoding", "If-None-Match", "Content-Type"))
            value = "".join(chance.choice("\t !#$*,;=?@[]^`{|}~é%\"'<>") for _ in range(chance.randrange(1, 200)))
            yield _request(path, json.dumps(sound).encode(), extra + f"{name}: a{value}a\r\n".encode("latin-1"))
        elif kind == 6:  # odd methods
            method = chance.choice(("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "GET"))
            yield f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n".encode() + extra + b"\r\n"
        else:  # odd history
            turns = [{"role": chance.choice(("user", "assistant")), "content": text(900)} for _ in range(number % 25)]
            yield _request("/api/v1/ask", json.dumps({"question": text(50), "history": turns}).encode(), extra)


def _request(path: str, body: bytes, extra: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + extra + b"\r\n" + body


async def _status(reader: asyncio.StreamReader, bodiless: bool = False) -> int:
    """Read one response, its end too where it says how long it is and has one; return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    await reader.readexactly(0 if bodiless else length)
    return int(head.split(b" ", 2)[1])


def _memory(pid: int) -> float:
    """Return a process's resident memory in MiB, 0 where the system doesn't say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().split("\n")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
