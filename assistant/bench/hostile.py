"""Requests as no honest client sends them, and how many of them hurt."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.bench.load import request, status


async def attack(port: int, requests: int) -> int:
    """Send hostile requests; return how many got a 5xx, nothing, or no end within ten seconds."""
    queue = iter(list(hostile_requests(requests)))
    failed = 0

    async def client() -> None:
        nonlocal failed
        for wanted in queue:
            try:
                async with asyncio.timeout(10):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(wanted)
                    failed += await status(reader, bodiless=wanted.startswith(b"HEAD ")) >= 500
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
            yield request(path, json.dumps(sound).encode(), extra)
        elif kind == 1:  # odd values
            fields = {key: chance.choice(wrong) for key in ("question", "audience", "history", "study", text(9))}
            yield request(path, json.dumps(fields).encode(), extra)
        elif kind == 2:  # no JSON
            yield request(path, chance.randbytes(chance.randrange(1, 500)), extra)
        elif kind == 3:  # deep or long
            yield request(path, chance.choice((b"[", b'{"a":', b"9", b'"')) * chance.randrange(1, 30_000), extra)
        elif kind == 4:  # odd addresses
            target = "".join(f"%{byte:02x}" for byte in chance.randbytes(chance.randrange(1, 60)))
            where = chance.choice(
                ("", "api/v1/studies/", "gradio_api/file=", "demo/", "api/v1/studies/28287490/sources/")
            )
            yield f"GET /{where}{target} HTTP/1.1\r\nHost: x\r\n".encode() + extra + b"\r\n"
        elif kind == 5:  # odd headers
            name = chance.choice(("Origin", "X-Forwarded-For", "Accept-Encoding", "If-None-Match", "Content-Type"))
            value = "".join(chance.choice("\t !#$*,;=?@[]^`{|}~é%\"'<>") for _ in range(chance.randrange(1, 200)))
            yield request(path, json.dumps(sound).encode(), extra + f"{name}: a{value}a\r\n".encode("latin-1"))
        elif kind == 6:  # odd methods
            method = chance.choice(("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "GET"))
            yield f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n".encode() + extra + b"\r\n"
        else:  # odd history
            turns = [{"role": chance.choice(("user", "assistant")), "content": text(900)} for _ in range(number % 25)]
            yield request("/api/v1/ask", json.dumps({"question": text(50), "history": turns}).encode(), extra)
