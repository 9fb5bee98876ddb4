"""Hits → drafts: statements in words, each tied to the sentences that it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.records import Audience, Sentence

SOURCES: dict[Audience, tuple[str, ...]] = {
    "parent": ("summary", "technical", "published"),
    "clinician": ("technical", "summary", "published"),
}
"""Which source comes first for whom."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement before it is verified.

    Attributes:
        text: The statement, without markers.
        cites: The sentences that it rests on, at least one.
        computed: Numbers in the text that were calculated from cited ones, as written.
        english: The same in English where a model wrote the text in another language, else "".
        language: What the text is written in; two letters.
    """

    text: str
    cites: tuple[Sentence, ...]
    computed: tuple[str, ...] = ()
    english: str = ""
    language: str = "en"
