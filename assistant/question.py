"""What comes in from outside: the question, its audience and its history, checked before anything reads them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from assistant.errors import QuestionError
from assistant.records import AUDIENCES, Turn

QUESTION_CHARACTERS = 2_000
HISTORY_TURNS = 40
TURN_CHARACTERS = 20_000


def clean(question: str) -> str:
    """Return a question in NFC with white space folded and invisible characters left out.

    Raises:
        QuestionError: It is not text, holds no word, or has more than `QUESTION_CHARACTERS` characters.
    """
    if not isinstance(question, str):
        raise QuestionError(f"the question is {type(question).__name__}, expected text")
    if len(question) > QUESTION_CHARACTERS:
        raise QuestionError(f"the question has {len(question):,} characters; ask it in at most {QUESTION_CHARACTERS:,}")
    kept = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in question if _visible(c))
    text = " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
    if not any(c.isalnum() for c in text):
        raise QuestionError("the question is empty; ask it in words")
    return text


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn") or character == "\u200d"


def check_audience(audience: str) -> None:
    """Raise `QuestionError` unless the audience is one of those that replies are written for."""
    if audience not in AUDIENCES:
        raise QuestionError(f"audience is {audience!r}, expected {' or '.join(map(repr, AUDIENCES))}")


def check_history(history: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the last turns of a history, cleaned.

    Raises:
        QuestionError: A turn is not `{"role": "user" or "assistant", "content": text}`.
    """
    turns: list[Turn] = []
    for number, turn in enumerate(history, 1):
        if (
            not isinstance(turn, dict)
            or turn.get("role") not in ("user", "assistant")
            or not isinstance(turn.get("content"), str)
        ):
            raise QuestionError(
                f'history turn {number} is {turn!r:.80}, expected {{"role": "user" or "assistant", "content": "…"}}'
            )
        content = " ".join(turn["content"][:TURN_CHARACTERS].split())
        if content:
            turns.append(Turn(role=turn["role"], content=content))
    return tuple(turns[-HISTORY_TURNS:])
