"""Clients on loopback that ask and wait, as many at a time as wanted."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import dataclass

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


def load(port: int, path: str, clients: int, seconds: float) -> Load:
    """Ask from so many connections for so many seconds, after a second that doesn't count."""
    asyncio.run(run_clients(port, path, clients, 1.0))
    times, errors, took = asyncio.run(run_clients(port, path, clients, seconds))
    ordered = sorted(times) or [0.0]
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Load(clients, len(times), errors, len(times) / took, statistics.median(ordered) * 1000, p95 * 1000)


async def run_clients(port: int, path: str, clients: int, seconds: float) -> tuple[list[float], int, float]:
    """Return the seconds of each answer, how many requests got none, and how long it all took."""
    times: list[float] = []
    errors = 0
    started = time.perf_counter()

    async def client(offset: int) -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = offset
        while time.perf_counter() - started < seconds:
            sent = time.perf_counter()
            writer.write(request(path, json.dumps({"question": QUESTIONS[number % len(QUESTIONS)]}).encode()))
            if await status(reader) == 200:
                times.append(time.perf_counter() - sent)
            else:
                errors += 1
            number += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return times, errors, time.perf_counter() - started


def request(path: str, body: bytes, extra: bytes = b"") -> bytes:
    """Return a POST request with a JSON body, and further header lines."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + extra + b"\r\n" + body


async def status(reader: asyncio.StreamReader, bodiless: bool = False) -> int:
    """Read one response, its end too where it says how long it is and has one; return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    await reader.readexactly(0 if bodiless else length)
    return int(head.split(b" ", 2)[1])
