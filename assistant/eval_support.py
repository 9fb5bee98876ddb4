"""How well unsupported statements are told from supported ones, on output that others wrote and annotated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.embed import Embedder
from assistant.errors import DataError
from assistant.evidence import Evidence
from assistant.numerals import unsupported
from assistant.split import spans
from assistant.support import UNBACKED, coverage, disagreements, unbacked

LONGEST_REFERENCE = 4_000
"""Characters of a claim's references that are read; some cite whole web sites."""
MOST_SENTENCES = 24
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


@dataclass(frozen=True, slots=True)
class Report:
    """Scores by method, by sentence and by whole response, and claims that the verification gets wrong.

    Attributes:
        origins: For the verification, the sentence scores by the data set that a claim comes from.
        let_through: Unsupported claims that it passes.
        held_back: Supported claims that it flags, each with why.
    """

    sentences: Mapping[str, Scores]
    responses: Mapping[str, Scores]
    origins: Mapping[str, Scores]
    let_through: tuple[Claim, ...]
    held_back: tuple[tuple[Claim, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-ready values."""
        from dataclasses import asdict

        tables = {"sentences": self.sentences, "responses": self.responses, "origins": self.origins}
        return {table: {name: asdict(scores) for name, scores in rows.items()} for table, rows in tables.items()}


def read_claims(path: Path, limit: int | None = None) -> list[Claim]:
    """Return the claims of an AttributionBench file, at most `limit`, spread evenly over it.

    Raises:
        DataError: The file can't be read, or has a row of another form.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        claims = [
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
    step = max(1.0, len(claims) / limit) if limit else 1.0
    return [claims[int(at * step)] for at in range(int(len(claims) / step))]


def evaluate_attribution(
    path: Path,
    *,
    evidence: Evidence | None,
    embedder: Embedder,
    floor: float = 0.5,
    cut: float = 0.6,
    limit: int | None = None,
    examples: int = 8,
) -> Report:
    """Return how well unsupported claims are found, beside number matching alone and embedding similarity alone.

    A response is unsupported if one of its claims in the file is, and flagged if one of them is flagged.

    Args:
        path: An AttributionBench file.
        evidence: The evidence model, or None for the checks without it.
        embedder: Gives the similarity baseline: the greatest cosine of claim and sentence.
        floor: Least probability by the evidence model; see `assistant.support`.
        cut: Least cosine of the baseline.
        limit: Most claims to judge.
        examples: Most claims of each sort to show.

    Raises:
        DataError: The file can't be read.
    """
    claims = read_claims(path, limit)
    read = [claim.sentences for claim in claims]
    verified = [verdict(claim.text, quotes, evidence, floor) for claim, quotes in zip(claims, read, strict=True)]
    flags: dict[str, list[bool]] = {
        "verification": [bool(why) for why in verified],
        "verification, lenient on words": [
            bool(verdict(claim.text, quotes, evidence, floor, LENIENT))
            for claim, quotes in zip(claims, read, strict=True)
        ],
        "numbers": [bool(unsupported(c.text, " ".join(quotes))) for c, quotes in zip(claims, read, strict=True)],
        "similarity": [similarity(embedder, c.text, quotes) < cut for c, quotes in zip(claims, read, strict=True)],
        "all flagged": [True] * len(claims),
    }
    truth = [not claim.supported for claim in claims]
    groups = _grouped(claims, lambda claim: claim.response)
    origins = _grouped(claims, lambda claim: claim.origin)
    return Report(
        {name: Scores.of(truth, flagged) for name, flagged in flags.items()},
        {name: Scores.of(_any(truth, groups), _any(flagged, groups)) for name, flagged in flags.items()},
        {
            name: Scores.of([truth[at] for at in rows], [flags["verification"][at] for at in rows])
            for name, rows in origins.items()
        },
        tuple(claim for claim, why in zip(claims, verified, strict=True) if not why and not claim.supported)[:examples],
        tuple((claim, why) for claim, why in zip(claims, verified, strict=True) if why and claim.supported)[:examples],
    )


def verdict(text: str, quotes: Sequence[str], evidence: Evidence | None, floor: float, spare: float = UNBACKED) -> str:
    """Return why a claim isn't supported by its quotes, or "": the checks of `assistant.support` that need no study."""
    missing = unsupported(text, " ".join(quotes))
    if missing:
        return f"numbers: {', '.join(missing)}"
    for fault in (*disagreements(text, quotes, {}), *unbacked(text, quotes, {}, spare=spare)):
        return f"{fault.kind}: {fault.why}"
    if evidence is not None and max(evidence.judge(text, list(quotes)).sentences, default=0.0) < floor:
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
