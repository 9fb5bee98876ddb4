"""Markdown text → sections, sentences and bullets, each with its character offsets."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import pysbd

from assistant.records import Section, Sentence

HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+(?P<title>.+?)[ \t#]*$", re.M)
"""A line that opens a section."""
_BULLET = re.compile(r"[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+")
_LABEL = re.compile(r"(?P<label>[^:.!?\n]{2,70}):(?=\s+\S)")
# Abbreviations after which the splitter stops although the sentence goes on.
_GOES_ON = re.compile(r"(?:\bapprox|\bca|\bvs|\bresp|\bincl|\be\.g|\bi\.e)\.$", re.I)


def sections(text: str, pmid: str, source: str, untitled: str) -> tuple[Section, ...]:
    r"""Return the sections of a Markdown text in order.

    A heading opens a section; a heading with nothing under it (a document's title) opens none.

    Args:
        text: Canonical text (NFC, `\\n`).
        untitled: Title for text that stands before the first heading.
    """
    found = []
    headings = [*HEADING.finditer(text)]
    starts = [0, *(match.end() for match in headings)]
    ends = [*(match.start() for match in headings), len(text)]
    titles = [untitled, *(match["title"] for match in headings)]
    for title, start, end in zip(titles, starts, ends, strict=True):
        sentences = tuple(
            Sentence(pmid, source, title, text[begin:stop], begin, stop, label, bullet, before)
            for begin, stop, label, bullet, before in _sentences(text, start, end)
        )
        if sentences:
            found.append(Section(title, start, end, sentences))
    return tuple(found)


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int, str, bool, str]]:
    """Yield (start, end, label, bullet, what its list item says before) of each sentence between two offsets."""
    for begin, stop, bullet in blocks(text, start, end):
        label = _LABEL.match(text, begin, stop) if bullet else None
        body = label.end() if label else begin
        for at, (left, right) in enumerate(spans(text[body:stop])):
            first = begin if at == 0 else body + left
            before = text[begin:first].strip() if bullet else ""
            yield first, body + right, label["label"] if label else "", bullet, before


def blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, end, bullet) of each paragraph and list item, markers and outer white space left out."""
    block: tuple[int, int, bool] | None = None
    for line in re.compile(r"[^\n]*\n?").finditer(text, start, end):
        content = line[0].strip()
        if not content:
            if block:
                yield block
            block = None
            continue
        marker = _BULLET.match(line[0])
        left = line.start() + (marker.end() if marker else len(line[0]) - len(line[0].lstrip()))
        right = line.start() + len(line[0].rstrip())
        if block and not marker:
            block = (block[0], right, block[2])
        else:
            if block:
                yield block
            block = (left, right, bool(marker)) if left < right else None
    if block:
        yield block


def spans(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence of a paragraph, outer white space left out.

    >>> [text[a:b] for text in ["It rose (348 vs. 171; p<0.001). Ca. 3–27 wk."] for a, b in spans(text)]
    ['It rose (348 vs. 171; p<0.001).', 'Ca. 3–27 wk.']
    """
    found: list[tuple[int, int]] = []
    at = 0
    for piece in _segmenter().segment(text.replace("\n", " ")):
        stripped = piece.strip()
        start = text.replace("\n", " ").find(stripped, at)
        if not stripped or start < 0:
            continue
        at = start + len(stripped)
        if found and _GOES_ON.search(text[found[-1][0] : found[-1][1]]):
            found[-1] = (found[-1][0], at)
        else:
            found.append((start, at))
    # The splitter may drop characters that it takes for noise; what it dropped stays with its neighbour.
    if not found:
        stripped = text.strip()
        return [(text.index(stripped), text.index(stripped) + len(stripped))] if stripped else []
    return found


@functools.cache
def _segmenter() -> pysbd.Segmenter:
    return pysbd.Segmenter(language="en", clean=False)
