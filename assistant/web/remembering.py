"""Gives an answer again that was just given: example questions and follow-up buttons are asked over and over."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from assistant.lexical import terms
from assistant.records import Answer, Audience, Statement, Turn
from assistant.web.desk import Streams

Items = tuple[Statement | Answer, ...]


class Remembering:
    """Remembers, in memory and by a hash of the question, the latest answers to questions without a history.

    The same question of the same corpus has the same answer, so this changes nothing but the time that it takes; an
    assistant with a chat model is not wrapped in it. An answer that says a word of the question which no source says
    ("no word of Ann") is not remembered: nothing that a reader wrote is kept.

    Args:
        assistant: Whose answers they are.
        size: Most answers to remember; the one that was not asked for longest goes first.
    """

    def __init__(self, assistant: Streams, size: int) -> None:
        self._assistant = assistant
        self._size = size
        self._known: OrderedDict[bytes, Items] = OrderedDict()
        self._lock = threading.Lock()

    def stream(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Iterator[Statement | Answer]:
        """Yield verified statements, then the answer."""
        if history or not self._size:
            yield from self._assistant.stream(question, audience=audience, history=history, study=study)
            return
        name = hashlib.sha256(json.dumps([question, audience, study]).encode()).digest()
        with self._lock:
            known = self._known.get(name)
            if known:
                self._known.move_to_end(name)
        if known:
            yield from known
            return
        items = []
        for item in self._assistant.stream(question, audience=audience, study=study):
            items.append(item)
            yield item
        if _echoes(question, items):
            return
        with self._lock:
            self._known[name] = tuple(items)
            while len(self._known) > self._size:
                self._known.popitem(last=False)


def _echoes(question: str, items: Sequence[Statement | Answer]) -> bool:
    """Return whether an answer says a content word of the question that neither a statement nor a quote says."""
    answer = items[-1]
    assert isinstance(answer, Answer)
    backed = [item.text for item in items[:-1]] + [citation.quote for citation in answer.citations]
    return bool(set(terms(question)) & (set(terms(answer.text)) - set(terms(" ".join(backed)))))
