"""How well unsupported statements are told from supported ones, on output that others wrote and annotated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.embed import Embedder
from assistant.errors import DataError
from assistant.evaluation.report import Report, Table
from assistant.evaluation.setup import Setup, shown
from assistant.evidence import Evidence
from assistant.numerals import unsupported
from assistant.split import spans
from assistant.support import FLOOR, UNBACKED, coverage, disagreements, unbacked

LONGEST_REFERENCE = 4_000
"""Characters of a claim's references that are read; some cite whole web sites."""
MOST_SENTENCES = 24
METHODS = ("verification", "verification, lenient on words", "numbers", "similarity", "all flagged")
SIMILAR = 0.6
"""Least cosine at which the similarity baseline takes a claim for supported."""
_SHOWN = ("precision", "recall", "f1", "macro", "accuracy")
LENIENT = 0.34
"""Share of new words that the lenient row lets pass; what is shown to readers is held to `support.UNBACKED`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a model wrote, what it cited, and whether annotators found that this supports it."""

    text: str
    references: tuple[str, ...]
    supported: bool
    response: str
    origin: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """The references' sentences that share most words with the claim, in their order: what a citation would be."""
        found = [s for reference in self.references for s in _sentences(reference[:LONGEST_REFERENCE])]
        best = sorted(range(len(found)), key=lambda at: -coverage(self.text, [found[at]]))[:MOST_SENTENCES]
        return tuple(found[at] for at in sorted(best))


@dataclass(frozen=True, slots=True)
class Scores:
    """How well the unsupported ones are found; shares in [0, 1], higher is better.

    Attributes:
        macro: Mean of the F1 of both classes, as AttributionBench reports it.
    """

    n: int
    unsupported: int
    precision: float
    recall: float
    f1: float
    macro: float
    accuracy: float

    @classmethod
    def of(cls, truth: Sequence[bool], flagged: Sequence[bool]) -> Scores:
        """Return the scores of flags against the truth, both true for unsupported."""
        pairs = list(zip(truth, flagged, strict=True))
        hit, extra = sum(t and f for t, f in pairs), sum(f and not t for t, f in pairs)
        missed, clear = sum(t and not f for t, f in pairs), sum(not t and not f for t, f in pairs)
        f1, other = _f1(hit, extra, missed), _f1(clear, missed, extra)
        precision = hit / (hit + extra) if hit + extra else 0.0
        recall = hit / (hit + missed) if hit + missed else 0.0
        accuracy = (hit + clear) / len(pairs) if pairs else 0.0
        return cls(len(pairs), sum(truth), precision, recall, f1, (f1 + other) / 2, accuracy)


def _f1(hit: int, extra: int, missed: int) -> float:
    return 2 * hit / (2 * hit + extra + missed) if hit else 0.0


def read_claims(path: Path) -> list[Claim]:
    """Return the claims of an AttributionBench file.

    Raises:
        DataError: The file can't be read, or has a row of another form.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [
            Claim(
                re.sub(r"\s*\[\d+\]", "", row["claim"]),
                tuple(row["references"]),
                row["attribution_label"] == "attributable",
                f"{row['src_dataset']} {row['response'] or row['id']}",
                row["src_dataset"],
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise DataError(f"{path}: expected AttributionBench's JSON lines ({type(exc).__name__}: {exc})") from exc


def attribution(setup: Setup) -> Report:
    """Return how well unsupported claims are found, beside number matching alone and embedding similarity alone.

    A response is unsupported if one of its claims in the file is, and flagged if one of them is flagged.
    """
    claims = setup.drawn(read_claims(setup.file("verify/attributionbench-dev.jsonl")))
    return scored(claims, setup.evidence(), setup.embedder)


def scored(claims: Sequence[Claim], evidence: Evidence | None, embedder: Embedder) -> Report:
    """Return the report on claims; without an evidence model, on the checks that need none."""
    flags: dict[str, list[bool]] = {name: [] for name in METHODS}
    held_back: list[dict[str, object]] = []
    let_through: list[dict[str, object]] = []
    for claim in shown(claims, "verifying"):
        quotes = claim.sentences
        why = verdict(claim.text, quotes, evidence)
        flags["verification"].append(bool(why))
        flags["verification, lenient on words"].append(bool(verdict(claim.text, quotes, evidence, spare=LENIENT)))
        flags["numbers"].append(bool(unsupported(claim.text, " ".join(quotes))))
        flags["similarity"].append(similarity(embedder, claim.text, quotes) < SIMILAR)
        flags["all flagged"].append(True)
        if bool(why) == claim.supported:
            (held_back if why else let_through).append({"id": claim.origin, "question": claim.text, "why": [why]})
    truth = [not claim.supported for claim in claims]
    responses = _grouped(claims, lambda claim: claim.response)
    figures = {
        "sentences": {name: asdict(Scores.of(truth, flagged)) for name, flagged in flags.items()},
        "responses": {
            name: asdict(Scores.of(_any(truth, responses), _any(flagged, responses))) for name, flagged in flags.items()
        },
        "origins": {
            name: asdict(Scores.of([truth[at] for at in rows], [flags["verification"][at] for at in rows]))
            for name, rows in _grouped(claims, lambda claim: claim.origin).items()
        },
    }
    tables = [
        Table(
            title,
            ("", *_SHOWN),
            tuple((name, *(scores[key] for key in _SHOWN)) for name, scores in figures[key].items()),
        )
        for key, title in (
            ("sentences", "unsupported claims, sentence by sentence"),
            ("responses", "unsupported claims, by whole response"),
            ("origins", "verification, by where a claim comes from"),
        )
    ]
    about = f"{len(claims)} claims in {len(responses)} responses, {sum(truth)} of them unsupported"
    return Report("attribution", about, figures, tables, [*let_through, *held_back])


def verdict(text: str, quotes: Sequence[str], evidence: Evidence | None, *, spare: float = UNBACKED) -> str:
    """Return why a claim isn't supported by its quotes, or "": the checks of `assistant.support` that need no study."""
    missing = unsupported(text, " ".join(quotes))
    if missing:
        return f"numbers: {', '.join(missing)}"
    for fault in (*disagreements(text, quotes, {}), *unbacked(text, quotes, {}, spare=spare)):
        return f"{fault.kind}: {fault.why}"
    if evidence is not None and max(evidence.judge(text, list(quotes)).sentences, default=0.0) < FLOOR:
        return "evidence"
    return ""


def similarity(embedder: Embedder, text: str, quotes: Sequence[str]) -> float:
    """Return the greatest cosine of a text and a quote, in [-1, 1]."""
    if not quotes:
        return -1.0
    vectors = embedder.encode([text, *quotes])
    return float((vectors[1:] @ vectors[0]).max())


def _sentences(text: str) -> Iterable[str]:
    return (" ".join(text[start:end].split()) for start, end in spans(text))


def _grouped(claims: Sequence[Claim], key: Callable[[Claim], str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, claim in enumerate(claims):
        found.setdefault(key(claim), []).append(at)
    return found


def _any(flags: Sequence[bool], groups: Mapping[str, Sequence[int]]) -> list[bool]:
    return [any(flags[at] for at in rows) for rows in groups.values()]
