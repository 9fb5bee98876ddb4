"""Drafts → statements that hold: quotes to the character, every number in a cited quote, directions kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from assistant.compose import Draft
from assistant.numerals import unsupported
from assistant.records import Citation, Sentence, Statement, Study

_DIRECTIONS: Mapping[str, frozenset[str]] = {
    "up": frozenset(
        "higher more greater larger increase increased increases rose raised above better stronger".split()
    ),
    "down": frozenset(
        "lower less fewer smaller decrease decreased decreases fell reduced below worse weaker lacking".split()
    ),
}
_NEGATION = re.compile(r"\b(?:no|not|none|never|neither|nor|without|un\w+ed|cannot|can't)\b|n['’]t\b", re.I)
_MARKER = re.compile(r"\[\d+\]")


def faults(draft: Draft, study: Study) -> list[str]:
    """Return what is wrong with a draft, in words; nothing where it holds.

    Checked are: that it cites something; each quote against the source's text, to the character; each number with its
    unit; markers of its own; directions and negations that no cited quote has.
    """
    found = []
    if not draft.cites:
        found.append("cites nothing")
    for sentence in draft.cites:
        if not stands(sentence, study):
            found.append(f"the quote {sentence.text!r} does not stand in {sentence.source} at {sentence.start}")
    if _MARKER.search(draft.text):
        found.append("carries a marker of its own")
    quotes = " ".join(sentence.text for sentence in draft.cites)
    found += [f"the number {number} stands in no cited quote" for number in _uncomputed(draft, quotes)]
    said, given = set(re.findall(r"[a-z]+", draft.text.lower())), set(re.findall(r"[a-z]+", quotes.lower()))
    if not draft.computed:
        found += [
            f"says {sorted(said & words)[0]!r}, which no cited quote says"
            for words in _DIRECTIONS.values()
            if said & words and not given & words
        ]
        if _NEGATION.search(draft.text) and not _NEGATION.search(quotes):
            found.append("denies what no cited quote denies")
    return found


def _uncomputed(draft: Draft, quotes: str) -> list[str]:
    allowed = " ".join(draft.computed)
    return [number for number in unsupported(draft.text, quotes) if number in unsupported(draft.text, allowed)]


def stands(sentence: Sentence, study: Study) -> bool:
    """Return whether the study has the sentence's text at its offsets, to the character."""
    if sentence.pmid != study.pmid:
        return False
    try:
        text = study.source(sentence.source).text
    except KeyError:
        return False
    return 0 <= sentence.start < sentence.end <= len(text) and text[sentence.start : sentence.end] == sentence.text


class Verifier:
    """Turns the drafts of one reply into statements, numbering citations from 1 in the order of their first use."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._citations: dict[tuple[str, int, int], Citation] = {}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All citations so far, by number."""
        return tuple(self._citations.values())

    def statements(self, drafts: Iterable[Draft]) -> Iterable[Statement]:
        """Yield the statements of the drafts that hold, in order; the others are dropped."""
        for draft in drafts:
            if not faults(draft, self._study):
                cited = tuple(self.cite(sentence) for sentence in draft.cites)
                yield Statement(_marked(draft.text, cited), cited)

    def cite(self, sentence: Sentence) -> Citation:
        """Return the citation of a sentence, a new number only where it has none.

        Raises:
            ValueError: The sentence does not stand in the study.
        """
        key = (sentence.source, sentence.start, sentence.end)
        if key not in self._citations:
            if not stands(sentence, self._study):
                raise ValueError(f"{sentence.text!r} does not stand in {sentence.source} of {self._study.pmid}")
            self._citations[key] = Citation(
                len(self._citations) + 1,
                self._study.pmid,
                sentence.source,
                sentence.section,
                sentence.text,
                sentence.start,
                sentence.end,
                self._study.url,
            )
        return self._citations[key]


def _marked(text: str, citations: Iterable[Citation]) -> str:
    numbers = sorted({citation.number for citation in citations})
    return f"{text} {''.join(f'[{number}]' for number in numbers)}"
