"""Where a finding stands in its source: the sentences that hold it, and its figures as they are written there."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from assistant.numerals import numbers
from assistant.records import Finding, Section, Sentence, Study
from assistant.vocabulary import cohort_pattern, named_who, negated, stems

# How sure an interval is stands before it: "95% CI 648–747".
_INTERVAL = re.compile(r"(?P<level>\d{2}(?:\.\d+)?\s?%)\s*(?:CI\b|confidence)", re.I)


def section_of(study: Study, finding: Finding) -> Section:
    """Return the section that a finding names.

    Raises:
        KeyError: The study has no such section; opening a corpus rules this out.
    """
    for section in study.source(finding.source).sections:
        if section.title == finding.section:
            return section
    raise KeyError(f"{finding.source} › {finding.section}")


def evidence(study: Study, finding: Finding, *, with_n: bool = False) -> tuple[Sentence, ...]:
    """Return the sentences that hold a finding, the one with its value first; () where none does.

    Args:
        study: The study that the finding is of.
        finding: One of its findings.
        with_n: Whether a sentence for the number of participants is wanted too, where it stands elsewhere.
    """
    return _held(section_of(study, finding).sentences, finding, cohort_pattern(finding.cohort, study), with_n)


@functools.lru_cache(2048)
def _held(
    candidates: tuple[Sentence, ...], finding: Finding, cohort: re.Pattern[str], with_n: bool
) -> tuple[Sentence, ...]:
    """Return the evidence among a section's sentences; kept, since every answer asks for the same few."""
    needed = [value for value in (finding.value, finding.low, finding.high) if value is not None]
    p = _p(finding)

    def fit(sentence: Sentence) -> tuple[bool, bool, int, int]:
        holds = {number.value for number in numbers(sentence.text)}
        about = (
            2 * bool(cohort.search(sentence.text))
            + len(named_who(sentence.text, [finding.who]))
            + len(set(stems(finding.measure)) & set(stems(sentence.text)))
        )
        return (
            _says(sentence.text, finding),
            all(decimal(value) in holds for value in needed[:1]),
            sum(decimal(value) in holds for value in needed) * 4 + (p in holds),
            about,
        )

    best = max(candidates, key=fit, default=None)
    if best is None or not _says(best.text, finding) or missing([best], needed[:1]):
        return ()
    found = [best]
    wanted = [*needed[1:], *([float(p)] if p is not None else [])]
    wanted += [float(finding.n)] if with_n and finding.n is not None else []
    for value in wanted:
        if missing(found, [value]):
            holding = [sentence for sentence in candidates if not missing([sentence], [value])]
            if holding:
                found.append(max(holding, key=lambda sentence: bool(cohort.search(sentence.text))))
    return tuple(found)


def _says(text: str, finding: Finding) -> bool:
    """Return whether a text can state a finding: one without a number must be worded, and denied where it is denied."""
    if finding.value is not None:
        return True
    verb = {word for word in stems(finding.statistic) if word not in {"not", "no"}}
    if negated(finding.statistic):
        return negated(text, verb)
    subject = set(stems(finding.measure))
    # "these were correlated; milk was not", "one group took them; the others were given none".
    clauses = [clause for clause in text.split(";") if not negated(clause)]
    return any(verb & set(stems(clause)) or subject <= set(stems(clause)) for clause in clauses)


def _p(finding: Finding) -> Decimal | None:
    """Return the figure of a p-value, without its sign of comparison."""
    digits = finding.p.lstrip("<>=≤≥ ")
    return Decimal(digits) if digits else None


def decimal(value: float) -> Decimal:
    """Return a figure as a decimal, as it was typed."""
    return Decimal(str(value))


def missing(sentences: Iterable[Sentence], values: Iterable[float]) -> list[float]:
    """Return the values that stand in none of the sentences."""
    holds = {number.value for sentence in sentences for number in numbers(sentence.text)}
    return [value for value in values if decimal(value) not in holds]


def written(value: float, sentences: Sequence[Sentence]) -> str:
    """Return a figure as the sentences write it ("0.20"), or its shortest form where they don't hold it.

    >>> written(0.2, [])
    '0.2'
    """
    for sentence in sentences:
        for number in numbers(sentence.text):
            if number.value == decimal(value):
                return sentence.text[number.start : number.end]
    return f"{value:g}"


def interval_level(sentences: Sequence[Sentence]) -> str:
    """Return how an interval is called where it stands: "95% CI", or "interval"."""
    for sentence in sentences:
        found = _INTERVAL.search(sentence.text)
        if found:
            return f"{found['level'].replace(' ', '')} CI"
    return "interval"
