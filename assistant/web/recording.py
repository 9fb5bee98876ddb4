"""Notes which questions were not answered, beside the work and never in its way."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from assistant.errors import DatabaseError
from assistant.feedback import Unanswered
from assistant.records import Answer, Audience, Hit, Statement, Turn
from assistant.store import Store
from assistant.web.desk import Streams

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

NOTED = frozenset({"not_in_study", "off_topic"})
"""Outcomes that an owner wants to know of."""
WAITING = 1000
"""Notes that wait for a slow database; more are dropped."""
HOUR = 3600.0
_log = logging.getLogger(__name__)


class Recorder:
    """Writes notes in a thread of its own, and deletes what is older than the retention setting, hourly.

    Args:
        store: Where notes go.
        lost: Called for every note that could not be kept.
    """

    def __init__(self, store: Store, lost: Callable[[], None]) -> None:
        self._store = store
        self._lost = lost
        self._notes: queue.Queue[Unanswered | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def note(self, item: Unanswered) -> None:
        """Keep a note, soon; returns at once."""
        try:
            self._notes.put_nowait(item)
        except queue.Full:
            self._lost()

    def close(self) -> None:
        """Write what waits, then stop; a dead database is not waited for longer than ten seconds."""
        try:
            self._notes.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=10)

    def _write(self) -> None:
        due = 0.0
        while True:
            if time.monotonic() >= due:
                due = time.monotonic() + HOUR
                self._try(self._store.purge)
            try:
                item = self._notes.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                continue
            if item is None:
                return
            self._try(partial(self._store.add_unanswered, item), self._lost)

    def _try(self, work: Callable[[], object], failed: Callable[[], None] = lambda: None) -> None:
        try:
            work()
        except DatabaseError as exc:
            _log.warning("%s", exc)
            failed()


class RecordedAssistant:
    """An assistant whose unanswered questions are noted, whichever surface asks; otherwise the same.

    Args:
        assistant: The assistant.
        streams: What streams its answers, where that isn't the assistant itself.
    """

    def __init__(
        self,
        assistant: Assistant,
        recorder: Recorder,
        answered: Callable[[str], None],
        streams: Streams | None = None,
    ) -> None:
        self._assistant = assistant
        self._streams = streams or assistant
        self._recorder = recorder
        self._answered = answered
        self.corpus = assistant.corpus
        self.settings = assistant.settings

    def stream(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Iterator[Statement | Answer]:
        """Yield verified statements, then the answer."""
        for item in self._streams.stream(question, audience=audience, history=history, study=study):
            self._see(item, question, audience, study)
            yield item

    async def astream(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> AsyncIterator[Statement | Answer]:
        """Yield verified statements, then the answer."""
        async for item in self._assistant.astream(question, audience=audience, history=history, study=study):
            self._see(item, question, audience, study)
            yield item

    def ask(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Answer:
        """Return the answer."""
        answer = self._assistant.ask(question, audience=audience, history=history, study=study)
        self._see(answer, question, audience, study)
        return answer

    async def aask(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Answer:
        """Return the answer."""
        answer = await self._assistant.aask(question, audience=audience, history=history, study=study)
        self._see(answer, question, audience, study)
        return answer

    def search(self, question: str, *, k: int = 10, study: str | None = None) -> tuple[Hit, ...]:
        """Return the best sentences."""
        return self._assistant.search(question, k=k, study=study)

    def _see(self, item: Statement | Answer, question: str, audience: str, study: str | None) -> None:
        if isinstance(item, Answer):
            self._answered(item.outcome)
            if item.outcome in NOTED:
                self._recorder.note(Unanswered(question, item.outcome, audience, study or ""))
