"""Drafts that correct what a question takes for granted: the opposite of a finding, a number of people, a treatment."""

from __future__ import annotations

import re
from dataclasses import replace

from assistant.compose import Draft
from assistant.compose.extractive import PUBLISHED
from assistant.compose.figured import Figured, draft_of, figured, first_source
from assistant.compose.phrasing import names, phrase
from assistant.messages import Messages
from assistant.phrasing import sentence
from assistant.premises import denial, miscounted
from assistant.records import Audience, Finding, Study
from assistant.vocabulary import cohort_pattern, kind, named_who, stems

_PRESUPPOSES = re.compile(r"\b(?:why|how come|given|since|because|considering|explains?|reason)\b", re.I)
_MORE = re.compile(r"\b(?:higher|more|greater|larger|better|richer|stronger|exceed\w*|surpass\w*|outstrip\w*)\b", re.I)
_LESS = re.compile(r"\b(?:lower|less|fewer|smaller|worse|poorer|weaker)\b", re.I)
_HEADS = "How many participants were there?"


def corrected(question: str, study: Study, audience: Audience, messages: Messages) -> Figured:
    """Return what contradicts a question: the figures of a finding or a head count, or a sentence; or nothing."""
    if contradicts(question, study) and (told := _levels(question, study, audience, messages)):
        return told
    if miscounted(question, study) and (told := figured(_HEADS, study, audience, messages)):
        return replace(told, corrects=True)
    if denied := denial(question, study, audience):
        return Figured((Draft(phrase(denied, audience, names(study.sentences)), (denied,)),), (), True, True)
    return Figured()


def _levels(question: str, study: Study, audience: Audience, messages: Messages) -> Figured:
    levels = _compared(question, study)
    measured = {word for finding in levels for word in stems(finding.measure)}
    if not measured & set(stems(question)):
        return Figured()
    told = sentence(study, first_source(levels, audience), audience, messages)
    return Figured((draft_of(told),), told.findings, True, True) if told else Figured()


def contradicts(question: str, study: Study) -> bool:
    """Return whether a question takes for granted that one cohort had more (or less), and the page's figures deny it.

    Only questions that presuppose ("why did …", "given that …") count, and only where two cohorts were compared.
    """
    more, less = _MORE.search(question), _LESS.search(question)
    if bool(more) == bool(less) or not _PRESUPPOSES.search(question):
        return False
    levels = _compared(question, study)
    cohorts = list(dict.fromkeys(f.cohort for f in levels))
    found = [(match.start(), c) for c in cohorts if (match := cohort_pattern(c, study).search(question))]
    if len(cohorts) != 2 or not found:
        return False
    first = min(found)[1]
    by_who: dict[tuple[str, str], dict[str, float]] = {}
    for finding in levels:
        by_who.setdefault((finding.measure, finding.who), {})[finding.cohort] = finding.value or 0.0
    higher = [values[first] == max(values.values()) for values in by_who.values() if len(values) == 2]
    return bool(higher) and (all(higher) if less else not any(higher))


def _compared(question: str, study: Study) -> list[Finding]:
    """Return the page's levels in whom a question names, in all where it names none; the mothers' milk is milk."""
    levels = [f for f in study.findings if kind(f) == "level" and f.source != PUBLISHED]
    who = named_who(question, list(dict.fromkeys(f.who for f in levels)))
    if "milk" in who:
        who = tuple(name for name in who if name != "mother")
    return [f for f in levels if not who or f.who in who]
