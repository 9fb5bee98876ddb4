"""What a model writes → statements with ids, one by one as they complete, however it wraps them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LONGEST = 12_000
"""Characters of a reply that are read; a model that writes more is going round in circles."""
_TEXT_KEYS = ("text", "statement", "sentence", "answer")
_CITE_KEYS = ("cites", "cite", "ids", "citations", "sources", "id")
_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.S | re.I)
_MARKED = re.compile(r"\[([A-Za-z]{0,4}\d{1,3}(?:\s*,\s*[A-Za-z]{0,4}\d{1,3})*)\]")
_OBJECT = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Written:
    """A statement as a model wrote it.

    Attributes:
        text: The statement, in the reader's language.
        ids: What it says that it rests on, as written; nothing says that these exist.
        english: The same in English, or "" where the text is English.
    """

    text: str
    ids: tuple[str, ...]
    english: str = ""


class Parser:
    """Reads a reply piece by piece.

    JSON objects with a text and ids count wherever they stand: bare, in a fence, in a list, in an outer object, in a
    tool call's arguments, with words around them. What stays incomplete is never a statement.

    >>> parser = Parser()
    >>> [w.ids for w in parser.feed('Sure: {"statements": [{"text": "A.", "cites": ["k1"]}, {"text": "B')]
    [('k1',)]
    """

    def __init__(self) -> None:
        self._buffer = ""
        self._from = 0
        self._found = False

    @property
    def full(self) -> bool:
        """Whether as much was read as ever is."""
        return len(self._buffer) >= LONGEST

    @property
    def text(self) -> str:
        """All that was read."""
        return self._buffer

    def feed(self, piece: str) -> Iterator[Written]:
        """Yield the statements that a further piece of the reply completes."""
        self._buffer = (self._buffer + piece)[:LONGEST]
        if "}" in piece:
            yield from self._complete()

    def end(self) -> Iterator[Written]:
        """Yield what only the whole reply shows: lines with markers, from a model that writes no JSON at all."""
        if self._found or "{" in self._buffer:
            return
        for line in _THOUGHT.sub("", self._buffer).splitlines():
            for sentence in re.split(r"(?<=[.!?\]])\s+(?=[A-Z*•-])", line.strip()):
                ids = [name.strip() for marked in _MARKED.findall(sentence) for name in marked.split(",")]
                text = " ".join(re.sub(r"\s+([.!?,;:])", r"\1", _MARKED.sub("", sentence)).split()).strip("*•- ")
                if ids and text:
                    yield Written(text, tuple(dict.fromkeys(ids)))

    def _complete(self) -> Iterator[Written]:
        buffer = _THOUGHT.sub(lambda match: " " * len(match[0]), self._buffer)
        at = self._from
        unfinished = False
        while (at := buffer.find("{", at)) >= 0:
            value, end = _decoded(buffer, at)
            found = list(_statements(value))
            if found:
                self._from = end
                self._found = True
                yield from found
            elif value is None:
                unfinished = True
            elif not unfinished:
                self._from = end
            at = end


def _decoded(buffer: str, at: int) -> tuple[Any, int]:
    """Return the object that starts at an offset and the offset after it; None and the next offset where none does."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(buffer, at)
        return value, end
    except (ValueError, RecursionError):
        pass
    flat = _OBJECT.match(buffer, at)
    if flat:
        repaired = re.sub(r",\s*([\]}])", r"\1", flat[0])
        try:
            return json.loads(repaired, strict=False), flat.end()
        except (ValueError, RecursionError):
            pass
    return None, at + 1


def _statements(value: Any, depth: int = 0) -> Iterator[Written]:
    """Yield the statements in a decoded value, however deep it holds them (to a limit)."""
    if depth > 6:
        return
    if isinstance(value, list):
        for item in value:
            yield from _statements(item, depth + 1)
    elif isinstance(value, dict):
        text = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)), None)
        cites = next((value[key] for key in _CITE_KEYS if key in value), None)
        if text is not None and cites is not None:
            english = value.get("english")
            yield Written(
                " ".join(text.split()), _ids(cites), " ".join(english.split()) if isinstance(english, str) else ""
            )
        else:
            for item in value.values():
                yield from _statements(item, depth + 1)


def _ids(value: Any) -> tuple[str, ...]:
    """Return ids from a list, a number, or a text such as "[k1], k2"; others are dropped."""
    items = value if isinstance(value, list) else [value]
    found: list[str] = []
    for item in items[:50]:
        if isinstance(item, str | int) and not isinstance(item, bool):
            found += [part for part in re.split(r"[\s,;\[\]()]+", str(item)[:200]) if part]
    return tuple(dict.fromkeys(found))
