"""A question with several parts → its parts."""

from __future__ import annotations

import re

from assistant.lexical import terms

MOST_PARTS = 4
"""A question of more parts is taken as one: each part is judged by itself, which takes time."""
_JOINT = re.compile(
    r"\?\s+|;\s+|,?\s+(?:and|or|plus|as well as|but)\s+|,\s+(?=(?:what|how|who|when|where|why|which|did|was"
    r"|were|is|are)\b)",
    re.I,
)
_ASKS = re.compile(
    r"\b(?:what|how|who|whom|when|where|why|which|did|was|were|is|are|do|does|has|have|had|can|could)\b", re.I
)


_SUBJECT = r"it|they|the|there|these|those|this|that|any|anyone|anybody|all|both|either|some|mothers|babies|infants"
_OPENS = (
    r"(?:what|how|who|whom|when|where|why|which|whether)\b"
    rf"|(?:did|was|were|is|are|do|does|has|have|can|could|would) (?:{_SUBJECT})\b"
)
_BETWEEN = re.compile(rf"\?\s+|;\s+|(?:,\s*|,?\s+(?:and|plus|but)\s+)(?:also\s+)?(?={_OPENS})", re.I)
_BEGINS = re.compile(rf"^\W*(?:(?:and|but|also|then|so)\s+)*(?:{_OPENS})|:\s*(?:{_OPENS})", re.I)


def questions(text: str) -> list[str]:
    """Return the questions of a text that has two to `MOST_PARTS`, each with an opening of its own, or nothing.

    >>> questions("Two things: how many pairs of mother and baby were there, and when were they tested?")
    ['Two things: how many pairs of mother and baby were there', 'when were they tested']
    >>> questions("In Cambodia, what was the level?")
    []
    """
    found: list[str] = []
    for piece in (piece.strip(" ,.?;") for piece in _BETWEEN.split(text)):
        if found and not (_BEGINS.search(piece) and terms(piece)):
            found[-1] = f"{found[-1]} {piece}".strip()
        else:
            found.append(piece)
    return found if 2 <= len(found) <= MOST_PARTS and all(map(_BEGINS.search, found)) else []


def split(question: str) -> list[str]:
    """Return the parts of a question that can each be asked by themselves, two to `MOST_PARTS`, or nothing.

    A part without a question word of its own takes the opening of the one before it.

    >>> split("How often were the drops given, and at what time of day?")
    ['How often were the drops given', 'at what time of day']
    >>> split("Length and head circumference at 6 months?")
    ['Length', 'head circumference at 6 months']
    >>> split("What was the zinc level?")
    []
    """
    pieces = [piece.strip(" ,.?;") for piece in _JOINT.split(question)]
    pieces = [piece for piece in pieces if terms(piece)]
    if len(pieces) < 2 or not all(len(terms(piece)) > 1 or _ASKS.search(piece) for piece in pieces[1:]):
        return []
    opening = ""
    asked = []
    for piece in pieces:
        if _ASKS.search(piece):
            match = re.match(
                r"(?:\W*\w+){0,2}?\W*\b(?:what|how (?:many|much)|which) (?:was|were|is|are|did)?\b", piece, re.I
            )
            opening = match[0] if match else ""
            asked.append(piece)
        else:
            asked.append(f"{opening} {piece}".strip())
    asked = list(dict.fromkeys(asked))
    return asked if 2 <= len(asked) <= MOST_PARTS else []
