"""Drafts made of findings: the figure that was asked for, or what can be worked out from two of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant import arithmetic
from assistant.compose import SOURCES, Draft
from assistant.compose.phrasing import names, phrase
from assistant.figures import matching
from assistant.messages import Messages
from assistant.parts import split
from assistant.phrasing import Figures, sentence
from assistant.ratios import ratios
from assistant.records import Audience, Finding, Study
from assistant.standing import decimal, evidence
from assistant.vocabulary import kind

_ASKS_WHY = re.compile(r"\b(?:why|how come|reason|because|mean for|meaning)\b", re.I)
_SCOPE = re.compile(r"^\W*(?:in|among|for|of|with|at|by)\b", re.I)
"""A part of a question that only says of whom the others ask."""


@dataclass(frozen=True, slots=True)
class Figured:
    """What findings give for a question; false where they give nothing.

    Attributes:
        complete: Whether the drafts are the whole answer, so that no sentence need be looked for.
        corrects: Whether they correct what the question takes for granted.
    """

    drafts: tuple[Draft, ...] = ()
    findings: tuple[Finding, ...] = ()
    complete: bool = False
    corrects: bool = False

    def __bool__(self) -> bool:
        return bool(self.drafts)


def figured(question: str, study: Study, audience: Audience, messages: Messages) -> Figured:
    """Return the figures that a question asks for, of one source: the one it names, else the page before the paper."""
    operation = arithmetic.recognise(question)
    if operation:
        found = first_source(arithmetic.operands(operation, study), audience)
        stated = _stated(operation, found, study, audience)
        if stated:
            return Figured((stated,), found, True)
        result = arithmetic.work_out(operation, study, found, audience, messages) if found else None
        if result:
            return Figured((draft_of(result),), result.findings, True)
    asked = matching(question, study)
    found = first_source(asked.findings, audience)
    if not found:
        return Figured()
    if all(kind(finding) == "state" for finding in found):
        return Figured(_in_the_sources_words(found, study, audience), found, True)
    told = sentence(study, found, audience, messages)
    if told is None:
        return Figured()
    return Figured((draft_of(told),), told.findings, not _ASKS_WHY.search(question))


def by_part(question: str, study: Study, audience: Audience, messages: Messages) -> tuple[Figured, tuple[str, ...]]:
    """Return the figures that a question asks for, as a whole or else part by part, and the parts without any.

    Nothing where no part asks for figures alone, and for the whole question no parts.
    """
    whole = figured(question, study, audience, messages)
    if whole:
        return whole, ()
    told = {part: figured(part, study, audience, messages) for part in split(question)}
    found = [figures for figures in told.values() if figures.complete]
    rest = tuple(part for part, figures in told.items() if not figures.complete)
    if not found or any(_SCOPE.match(part) for part in rest):
        return whole, ()
    every = [draft for figures in found for draft in figures.drafts]
    cited = [set(draft.cites) for draft in every]
    drafts = tuple(draft for at, draft in enumerate(every) if not any(cited[at] <= other for other in cited[:at]))
    findings = tuple(dict.fromkeys(finding for figures in found for finding in figures.findings))
    return Figured(drafts, findings, not rest), rest


def draft_of(told: Figures) -> Draft:
    """Return figures in words as a draft."""
    return Draft(told.text, told.evidence, told.computed)


def _stated(
    operation: arithmetic.Operation, findings: Sequence[Finding], study: Study, audience: Audience
) -> Draft | None:
    """Return the source's own sentence where it gives the ratio that would be worked out."""
    values = {decimal(finding.value) for finding in findings if finding.value is not None}
    for ratio in ratios(study) if operation.kind == "ratio" else ():
        if values == set(ratio.figures):
            return Draft(phrase(ratio.sentence, audience, names(study.sentences)), (ratio.sentence,))
    return None


def _in_the_sources_words(findings: Sequence[Finding], study: Study, audience: Audience) -> tuple[Draft, ...]:
    """Return the sentences that hold findings without a number, each once."""
    held = dict.fromkeys(evidence(study, finding) for finding in findings)
    named = names(study.sentences)
    return tuple(Draft(" ".join(phrase(s, audience, named) for s in spans), spans) for spans in held if spans)


def first_source(findings: Sequence[Finding], audience: Audience) -> tuple[Finding, ...]:
    """Return the findings of the source that comes first for an audience."""
    for source in SOURCES[audience]:
        found = tuple(finding for finding in findings if finding.source == source)
        if found:
            return found
    return ()
