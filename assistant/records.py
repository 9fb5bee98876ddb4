"""The records that every surface shows and every stage passes on; frozen, comparable, made of plain values."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

Audience = Literal["parent", "clinician"]
Outcome = Literal["answered", "not_in_study", "off_topic", "medical_advice", "urgent", "chat"]

AUDIENCES: tuple[Audience, ...] = ("parent", "clinician")
OUTCOMES: tuple[Outcome, ...] = ("answered", "not_in_study", "off_topic", "medical_advice", "urgent", "chat")
RECORD = "study"
"""Name of the source that holds the bibliographic record, `study.toml`."""


class Turn(TypedDict):
    """One message of a conversation: who said it ("user" or "assistant") and what."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or a bullet, as it stands in its source.

    Attributes:
        text: `source.text[start:end]`, to the character.
        start: Offset of the first character in the source's text.
        end: Offset after the last character.
        label: What stands before the colon of a bullet ("Breast Milk"), or "".
        bullet: Whether it is (part of) a list item.
        before: What the same list item says before it, or "".
    """

    pmid: str
    source: str
    section: str
    text: str
    start: int
    end: int
    label: str = ""
    bullet: bool = False
    before: str = ""

    @property
    def body(self) -> str:
        """The text after the label, or all of it."""
        head = f"{self.label}:"
        return self.text[len(head) :].lstrip() if self.label and self.text.startswith(head) else self.text

    @property
    def in_context(self) -> str:
        """The text as models read it: `Section: text`, after what its list item says before; white space folded."""
        return f"{self.section}: {' '.join(f'{self.before} {self.text}'.split())}"

    @property
    def tells(self) -> bool:
        """Whether it says something of the study: no lead-in ("It helps with:"), no line of a reference."""
        reference = re.search(r"\breferences?\b|\bcitation\b", self.section, re.I)
        line = re.match(r"(?:source|published|doi|pmid|licen[cs]e)s?:\s", self.text, re.I)
        return not (self.text.endswith(":") or reference or line)


@dataclass(frozen=True, slots=True)
class Section:
    """A titled stretch of a source; offsets count characters and exclude the heading."""

    title: str
    start: int
    end: int
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One text of a study: "summary", "technical", "published", or "study" for the record itself."""

    name: str
    text: str
    sections: tuple[Section, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All its sentences, in order."""
        return tuple(sentence for section in self.sections for sentence in section.sentences)


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure, once per source that gives it.

    Attributes:
        measure: What was measured ("vitamin B12").
        who: Whom or what it was measured in ("mother", "milk", "infant", "dyad").
        n: Participants behind the figure, or None.
        statistic: "median", "geometric mean", "percent", "r", "correlated", "not supplemented" …
        value: The figure in `unit`, or None where the finding has no number.
        low: Lower end of the interval in `unit`, or None.
        high: Upper end of the interval in `unit`, or None.
        p: As given ("<0.001"), or "".
    """

    pmid: str
    measure: str
    who: str
    cohort: str
    n: int | None
    statistic: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    p: str
    source: str
    section: str


@dataclass(frozen=True, slots=True)
class Study:
    """A study: its bibliographic record, its sources and its findings."""

    pmid: str
    title: str
    sources: tuple[Source, ...]
    record: Source
    findings: tuple[Finding, ...] = ()
    authors: tuple[str, ...] = ()
    journal: str = ""
    year: int | None = None
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    licence: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences of all sources, the record excepted."""
        return tuple(sentence for source in self.sources for sentence in source.sentences)

    @property
    def url(self) -> str:
        """Where to read about the study."""
        return self.links.get("pubmed") or f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"

    def source(self, name: str) -> Source:
        """Return a source by name.

        Raises:
            KeyError: The study has no such source.
        """
        for source in (*self.sources, self.record):
            if source.name == name:
                return source
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Hit:
    """A sentence that a search found.

    Attributes:
        score: Cosine plus BM25 as a share of the query's idf mass; higher is better, about 0 to 2.
    """

    sentence: Sentence
    score: float

    @property
    def pmid(self) -> str:
        """PMID of the study it stands in."""
        return self.sentence.pmid

    @property
    def source(self) -> str:
        """Name of the source it stands in."""
        return self.sentence.source

    @property
    def section(self) -> str:
        """Title of the section it stands in."""
        return self.sentence.section

    @property
    def quote(self) -> str:
        """Its text, to the character."""
        return self.sentence.text

    @property
    def start(self) -> int:
        """Offset of its first character in the source's text."""
        return self.sentence.start

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.sentence.end


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement stands: `source.text[start:end] == quote`, checked before it is shown.

    Attributes:
        number: 1-based marker in the reply.
        source: "summary", "technical", "published", or "study" for the bibliographic record.
        start: Offset of the quote's first character in the source's text.
        end: Offset after its last character.
    """

    number: int
    pmid: str
    source: str
    section: str
    quote: str
    start: int
    end: int
    url: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """What the study page and the published paper say differently about one thing.

    Attributes:
        page: The page's value in words ("348 pmol/L (median)").
        published: The paper's value in words.
        reason: Why they do not agree, in words ("different statistics: …").
        page_citation: Number of the citation for the page's value.
        published_citation: Number of the citation for the paper's value.
    """

    pmid: str
    measure: str
    who: str
    cohort: str
    page: str
    published: str
    reason: str
    page_citation: Citation
    published_citation: Citation


@dataclass(frozen=True, slots=True)
class Statement:
    """One verified statement as it is shown, its markers in it, and what it cites."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader gets, the same on every surface.

    Attributes:
        text: The whole reply as shown, Markdown.
        follow_ups: Questions that the corpus can answer.
        confidence: Calibrated probability in [0, 1] that the reply is right.
    """

    text: str
    outcome: Outcome
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    findings: tuple[Finding, ...] = ()
    follow_ups: tuple[str, ...] = ()
    confidence: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON-ready values."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain

    def chart(self, fmt: Literal["svg", "png"] = "svg", theme: Literal["light", "dark"] = "light") -> bytes:
        """Return the answer's findings as a chart.

        Raises:
            ValueError: The answer has no findings that can be drawn together.
        """
        from assistant.charts import chart

        return chart(self.findings, fmt, theme)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Answer:
        """Return the answer that `to_dict` gave.

        Raises:
            TypeError: A field is missing or unknown.
        """
        values = dict(data)
        values["citations"] = tuple(Citation(**c) for c in data.get("citations", ()))
        values["conflicts"] = tuple(
            Conflict(
                **{
                    **c,
                    "page_citation": Citation(**c["page_citation"]),
                    "published_citation": Citation(**c["published_citation"]),
                }
            )
            for c in data.get("conflicts", ())
        )
        values["findings"] = tuple(Finding(**f) for f in data.get("findings", ()))
        values["follow_ups"] = tuple(data.get("follow_ups", ()))
        return cls(**values)


def _plain(value: Any) -> Any:
    """Return the value with tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
