"""A file of questions → questions to score; JSON lines, one object a line.

| key | what |
|---|---|
| `id` | unique name (required) |
| `question` | as a reader types it (required) |
| `outcome` | what the reply's outcome must be (required) |
| `audience` | "parent" (the default) or "clinician" |
| `history` | turns before it, `{"role", "content"}` |
| `facts` | groups of alternatives: of each group one must stand in the reply |
| `sections` | places of which one must be cited: "technical:Key Findings", "published:*", "study:record" |
| `kind` | what sort of question it is, for the table |
| `missing` | what the study does not report, for the reader of the file |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from assistant.errors import DataError
from assistant.jsonl import numbered_jsonl
from assistant.records import AUDIENCES, OUTCOMES, Audience, Outcome, Turn


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what a right reply to it has; see the module for the meaning of each."""

    id: str
    question: str
    outcome: Outcome
    audience: Audience = "parent"
    history: tuple[Turn, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()
    sections: tuple[str, ...] = ()
    kind: str = ""
    missing: str = ""


def read(file: Path) -> tuple[Question, ...]:
    """Return the questions of a file, in order.

    Raises:
        DataError: The file can't be read or is empty, or a line breaks the format; the message names file and line.
    """
    found: list[Question] = []
    lines: dict[str, int] = {}
    for number, record in numbered_jsonl(file):
        try:
            question = parse(record)
        except ValueError as exc:
            raise DataError(f"{file}:{number}: {exc}") from exc
        if question.id in lines:
            raise DataError(f"{file}:{number}: id {question.id!r} is also on line {lines[question.id]}; rename one")
        lines[question.id] = number
        found.append(question)
    if not found:
        raise DataError(f"{file}: holds no question; write one JSON object a line")
    return tuple(found)


def parse(record: Mapping[str, Any]) -> Question:
    """Return the question that an object describes.

    Raises:
        ValueError: A key is missing or unknown, or a value is not of its form.
    """
    unknown = sorted(set(record) - set(_PARSERS))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; the keys are {', '.join(_PARSERS)}")
    for key in ("id", "question", "outcome"):
        if key not in record:
            raise ValueError(f"has no {key!r}; id, question and outcome are required")
    return Question(**{key: _PARSERS[key](key, value) for key, value in record.items()})


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} is {value!r:.60}, expected text")
    return value


def _words(key: str, value: Any) -> str:
    if not _text(key, value).strip():
        raise ValueError(f"{key} is empty; write it")
    return str(value)


def _choice(options: tuple[str, ...]) -> Callable[[str, Any], str]:
    def parse_choice(key: str, value: Any) -> str:
        if value not in options:
            raise ValueError(f"{key} is {value!r:.60}, expected one of {', '.join(options)}")
        return str(value)

    return parse_choice


def _list(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{key} is {value!r:.60}, expected a list")
    return value


def _facts(key: str, value: Any) -> tuple[tuple[str, ...], ...]:
    groups = _list(key, value)
    for group in groups:
        if not isinstance(group, list) or not group or not all(isinstance(a, str) and a.strip() for a in group):
            raise ValueError(f'{key} holds {group!r:.60}, expected a list of alternatives, such as ["348", "348.0"]')
    return tuple(tuple(group) for group in groups)


def _sections(key: str, value: Any) -> tuple[str, ...]:
    for place in _list(key, value):
        if not isinstance(place, str) or not re.fullmatch(r"(summary|technical|published|study):.+", place):
            raise ValueError(f'{key} holds {place!r:.60}, expected "source:Section title" or "source:*"')
    return tuple(value)


def _history(key: str, value: Any) -> tuple[Turn, ...]:
    for turn in _list(key, value):
        roles = ("user", "assistant")
        if not isinstance(turn, dict) or turn.get("role") not in roles or not isinstance(turn.get("content"), str):
            raise ValueError(f'{key} holds {turn!r:.60}, expected {{"role": "user" or "assistant", "content": "…"}}')
    return tuple(cast(Turn, dict(turn)) for turn in value)


_PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "id": _words,
    "question": _words,
    "outcome": _choice(OUTCOMES),
    "audience": _choice(AUDIENCES),
    "history": _history,
    "facts": _facts,
    "sections": _sections,
    "kind": _text,
    "missing": _text,
}
