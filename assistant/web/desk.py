"""Questions in, verified statements and the answer out: so many at a time, so many waiting, no more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from assistant.records import Answer, Audience, Statement, Turn

BUSY_RETRY = 5
"""Seconds after which a visitor who was refused should try again."""


class Streams(Protocol):
    """Whatever answers questions, statement by statement, the answer last."""

    def stream(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Iterator[Statement | Answer]:
        """Yield verified statements, then the answer."""
        ...


class BusyError(Exception):
    """All seats are taken and the queue is full."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that belongs to it."""

    question: str
    audience: Audience = "parent"
    history: Sequence[Turn] = ()
    study: str | None = None


class Ticket:
    """A question that was accepted; what it yields is taken with `next`, on the event loop that opened it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: asyncio.Queue[Statement | Answer | BaseException] = asyncio.Queue()
        self._stop = threading.Event()
        self._future: Future[None] | None = None

    async def next(self) -> Statement | Answer:
        """Return the next statement, or the answer, after which there is nothing.

        Raises:
            AssistantError: What the pipeline raised.
        """
        item = await self._items.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def leave(self) -> None:
        """Say that nobody waits any more: a question in the queue is dropped, work on one ends at its next step."""
        self._stop.set()
        if self._future is not None:
            self._future.cancel()

    def _work(self, assistant: Streams, asked: Asked) -> None:
        """Run in a worker thread: hand over what the pipeline yields until it ends or nobody waits."""
        try:
            steps = assistant.stream(asked.question, audience=asked.audience, history=asked.history, study=asked.study)
            with closing(_Closable(steps)) as items:
                for item in items:
                    if self._stop.is_set():
                        return
                    self._hand_over(item)
        except BaseException as exc:  # handed to whoever waits, who raises it
            self._hand_over(exc)

    def _hand_over(self, item: Statement | Answer | BaseException) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)


class Desk:
    """Answers questions in worker threads.

    Args:
        concurrency: Questions answered at a time.
        queue: Questions that may wait; the next one is refused.
    """

    def __init__(self, assistant: Streams, *, concurrency: int, queue: int) -> None:
        self._assistant = assistant
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="answer")
        self._seats = concurrency + queue
        self._concurrency = concurrency
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def answering(self) -> int:
        """Questions being answered."""
        return min(self._taken, self._concurrency)

    @property
    def waiting(self) -> int:
        """Questions in the queue."""
        return max(0, self._taken - self._concurrency)

    def accept(self, asked: Asked) -> Ticket:
        """Return a ticket for a question; called on the event loop.

        Raises:
            BusyError: The queue is full.
        """
        with self._lock:
            if self._taken >= self._seats:
                raise BusyError
            self._taken += 1
        ticket = Ticket(asyncio.get_running_loop())
        ticket._future = self._pool.submit(ticket._work, self._assistant, asked)
        ticket._future.add_done_callback(self._free)  # by the worker: an event loop may be gone by then
        return ticket

    def close(self) -> None:
        """Wait for the work that is under way, drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _free(self, _: Future[None]) -> None:
        with self._lock:
            self._taken -= 1


class _Closable:
    """An iterator that can be closed, whether or not it is a generator."""

    def __init__(self, steps: Iterator[Statement | Answer]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Statement | Answer]:
        return self._steps

    def close(self) -> None:
        """Close the generator, so that what it holds is let go."""
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()
