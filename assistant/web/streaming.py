"""Waiting for an answer while watching whether anyone still wants it; server-sent events."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistant.records import Answer, Statement
from assistant.web.desk import Ticket
from assistant.web.problems import Problem

HEARTBEAT = 10.0
"""Seconds of silence after which a comment keeps proxies from closing the stream."""
ANSWER_WITHIN = 90.0
"""Seconds, waiting included, after which a question is given up with a refusal."""


class ClientGoneError(Exception):
    """Whoever asked has left."""


class Listener:
    """Takes what a ticket yields, and gives up when the client leaves or the time is over."""

    def __init__(self, ticket: Ticket, receive: Receive, within: float = ANSWER_WITHIN) -> None:
        self._ticket = ticket
        self._deadline = asyncio.get_running_loop().time() + within
        self._gone = asyncio.ensure_future(_disconnected(receive))
        self._pending: asyncio.Future[Statement | Answer] | None = None

    async def next(self, patience: float | None = None) -> Statement | Answer | None:
        """Return what comes next, or None after `patience` seconds of silence.

        Raises:
            ClientGoneError: The client has left.
            TimeoutError: The time for the whole answer is over.
            AssistantError: What the pipeline raised.
        """
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._ticket.next())
        left = self._deadline - asyncio.get_running_loop().time()
        wait = left if patience is None else min(left, patience)
        waits: set[asyncio.Future[Any]] = {self._pending, self._gone}
        await asyncio.wait(waits, timeout=max(0.0, wait), return_when=asyncio.FIRST_COMPLETED)
        if self._pending.done():
            item, self._pending = self._pending.result(), None
            return item
        if self._gone.done():
            raise ClientGoneError
        if asyncio.get_running_loop().time() >= self._deadline:
            raise TimeoutError
        return None

    async def answer(self) -> Answer:
        """Return the answer, its statements passed over.

        Raises:
            ClientGoneError: The client has left.
            TimeoutError: The time for the whole answer is over.
            AssistantError: What the pipeline raised.
        """
        while True:
            item = await self.next()
            if isinstance(item, Answer):
                return item

    def close(self) -> None:
        """Stop the work and the watching."""
        self._ticket.leave()
        self._gone.cancel()
        if self._pending is not None:
            self._pending.cancel()


class EventStream(Response):
    """The statements and the answer as server-sent events.

    Args:
        first: What has come already, or None where the silence was long enough for a first heartbeat.
        problem: Turns an exception into the problem that the client is told.
        left: Called when the client leaves early.
        heartbeat: Seconds of silence after which a comment is sent.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        listener: Listener,
        first: Statement | Answer | None,
        problem: Callable[[Exception], Problem],
        *,
        left: Callable[[], None],
        heartbeat: float | None = None,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._listener = listener
        self._first = first
        self._problem = problem
        self._left = left
        self._heartbeat = HEARTBEAT if heartbeat is None else heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; a client that leaves ends it."""

        async def write(text: str, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._events(write)
            await write("", more=False)
        except (ClientGoneError, OSError):
            self._left()
        finally:
            self._listener.close()

    async def _events(self, write: Callable[[str], Awaitable[None]]) -> None:
        item = self._first
        while not isinstance(item, Answer):
            await write(": keep-alive\n\n" if item is None else event("statement", statement_dict(item)))
            try:
                item = await self._listener.next(self._heartbeat)
            except ClientGoneError:
                raise
            except Exception as exc:  # whatever it is, the client is told that it ended
                await write(event("error", self._problem(exc).to_dict()))
                return
        await write(event("answer", item.to_dict()))


def statement_dict(statement: Statement) -> dict[str, Any]:
    """Return a statement as JSON-ready values."""
    return {"text": statement.text, "citations": [dataclasses.asdict(item) for item in statement.citations]}


def event(name: str, data: object) -> str:
    """Return one server-sent event; JSON escapes line ends, so the data is one line."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


async def _disconnected(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
