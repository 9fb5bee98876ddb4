"""A follow-up put into words by a language model; taken only where it brings in nothing new."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Protocol

from assistant.compose.chat import ModelFailure
from assistant.lexical import terms
from assistant.numerals import numbers
from assistant.records import Turn

LONGEST = 400
_TURNS = 6
_FRAME = frozenset(
    terms(
        "what which who whom whose when where why how much many was were is are did does do has have had can could "
        "there study studies researchers find found finding findings result results report reported say says about "
        "between compare compared comparison difference differ different group groups level levels value values amount "
        "number mean means reason explain tell other another same respectively according case regarding"
    )
)


class Asks(Protocol):
    """Whatever answers a system and a user text; `assistant.compose.chat.Chat` does."""

    def ask(self, system: str, user: str) -> str:
        """Return the reply."""
        ...


def rewrite(
    chat: Asks, prompt: str, question: str, history: Sequence[Turn], language: str = "en", known: Collection[str] = ()
) -> str:
    """Return the question as it stands alone, as the model puts it.

    Args:
        chat: The model.
        prompt: The rules that the model is given.
        question: What was asked last.
        history: What was said before, oldest first.
        language: What the question is written in, two letters; the reply is in English.
        known: Names that a translation may bring in.

    Raises:
        ModelFailure: The model gave nothing, or brings in what nobody mentioned; the message doesn't quote it.
    """
    turns = [{"role": turn["role"], "content": turn["content"][:2000]} for turn in history[-_TURNS:]]
    reply = chat.ask(prompt, json.dumps({"conversation": turns, "question": question}, ensure_ascii=False, indent=0))
    written = _only_line(reply)
    if not written or len(written) > LONGEST:
        raise ModelFailure("unusable", "the model's rewriting is not one question")
    said = [question, *(turn["content"] for turn in turns)]
    new = brought_in(written, said, translated=language != "en", known=known)
    if new:
        raise ModelFailure("unusable", f"the model's rewriting brings in {len(new)} new numbers, names or terms")
    return written


def brought_in(
    written: str, said: Sequence[str], *, translated: bool = False, known: Collection[str] = ()
) -> list[str]:
    """Return the numbers, names and terms of a rewriting that nobody has said.

    A translation has no term in common with what it translates, so of it only numbers and names are asked.

    >>> brought_in("What was B12 in Peruvian infants?", ["And the babies?", "What was B12 in Canadian infants?"])
    ['peruvian']
    """
    before = " ".join(said)
    given = {number.value for number in numbers(before)}
    new = [str(number.value) for number in numbers(written) if number.value not in given]
    allowed = {word.casefold() for text in (before, *known) for word in re.findall(r"[^\W_]+", text)}
    if translated:
        names = re.findall(r"(?<![.?!] )(?<!^)\b[A-Z][^\W_]*|\b[A-Za-z]+\d+\b", written)
        return new + [name.casefold() for name in names if name.casefold() not in allowed and name != "I"]
    stems = set(terms(before)) | {stem for name in known for stem in terms(name)} | _FRAME
    words = re.findall(r"[^\W_]+(?:['’][^\W_]+)?", written)
    return new + [
        word.casefold() for word in words if not word.isdecimal() and any(stem not in stems for stem in terms(word))
    ]


def _only_line(reply: str) -> str:
    """Return a reply's one line, without a thought before it, a fence, a label or quotes around it; "" for more."""
    plain = re.sub(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)|```\w*", "", reply, flags=re.S | re.I)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    if len(lines) != 1:
        return ""
    line = re.sub(r"^(?:rewritten |standalone )?question:\s*", "", lines[0], flags=re.I)
    return line.strip().strip("\"“”'`").strip()
