"""Where each text's sentences begin and end, kept beside the index: splitting thousands of studies takes minutes."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from assistant import split
from assistant.records import Section, Sentence

_FILE = "sentences.json"


class SplitCache:
    """Splits texts, or remembers how they were split; what can't be read is split anew.

    Args:
        folder: The index folder; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._version = _version()
        self._known = self._read()
        self._used: dict[str, Any] = {}
        self._new = False

    def sections(self, text: str, pmid: str, source: str, untitled: str) -> tuple[Section, ...]:
        """Return what `split.sections` returns."""
        name = _digest(f"{untitled}\0{text}")
        if name in self._known:
            try:
                found = _restored(self._known[name], text, pmid, source)
            except (TypeError, ValueError, OverflowError):
                found = ()
            if found:
                self._used[name] = self._known[name]
                return found
        self._new = True
        made = split.sections(text, pmid, source, untitled)
        self._used[name] = [
            [s.title, s.start, s.end, [[i.start, i.end, i.label, i.bullet, i.before] for i in s.sentences]]
            for s in made
        ]
        return made

    def save(self) -> None:
        """Write what was used, where anything is new and the folder can be written; failing costs time alone."""
        if not self._new and len(self._used) == len(self._known):
            return
        texts = json.dumps(self._used)
        stored = {"version": self._version, "digest": _digest(texts), "texts": texts}
        partial = self._path.with_name(f"{_FILE}.{os.getpid()}.partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(stored), encoding="utf-8")
            os.replace(partial, self._path)
        except OSError:
            with suppress(OSError):
                partial.unlink()

    def _read(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            sound = stored["version"] == self._version and stored["digest"] == _digest(stored["texts"])
            texts = json.loads(stored["texts"]) if sound else {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}
        return texts if isinstance(texts, dict) else {}


def _restored(stored: Any, text: str, pmid: str, source: str) -> tuple[Section, ...]:
    return tuple(
        Section(
            str(title),
            int(start),
            int(end),
            tuple(
                Sentence(
                    pmid, source, title, text[int(a) : int(b)], int(a), int(b), str(label), bool(bullet), str(before)
                )
                for a, b, label, bullet, before in sentences
            ),
        )
        for title, start, end, sentences in stored
    )


def _digest(texts: str) -> str:
    return hashlib.sha256(texts.encode()).hexdigest()


def _version() -> str:
    """Return what changes whenever texts may be split otherwise: the splitter's code and its library's version."""
    code = Path(split.__file__).read_bytes()
    return hashlib.sha256(code + metadata.version("pysbd").encode()).hexdigest()
