"""What a question takes for granted and the study denies: a treatment, a follow-up, so many people, a cut-off."""

from __future__ import annotations

import functools
import re
from decimal import Decimal

from assistant.compose import SOURCES
from assistant.compose.refusal import codes, missing_terms
from assistant.numerals import numbers
from assistant.records import Audience, Sentence, Study
from assistant.vocabulary import NEGATED, WHO

_FORM = r"(?:dos(?:e|es|age)|pills?|tablets?|capsules?|drops|injections?|shots?|jabs?)"
_DONE = r"(?:did|was|were|had|got|gave|given|received|helped|worked|since|after|because|arm|group|trial)"
_TREATED = re.compile(
    r"\b(?:placebo|interventions?"
    r"|(?:active|treat(?:ed|ment)|supplement(?:ed|ation)?) (?:arm|group|phase|course))\b"
    rf"|\b{_FORM}\b(?=[^?]*\b{_DONE}\b)|\b{_DONE}\b[^?]*\b{_FORM}\b",
    re.I,
)
_NOT_TREATED = re.compile(
    rf"(?:{NEGATED})(?! (?:data|information|details?|record)s?\b)[^.;]{{0,40}}"
    r"\b(?:supplement(?:s|ed|ation)?|administer\w*|interven\w*|treat(?:ed|ment)s?|giv(?:e|en|ing)|placebo|dos(?:e|ed|ing))\b",
    re.I,
)
_FOLLOWED = re.compile(
    r"\blongitudinal(?:ly)?\b|\btrajector(?:y|ies)\b"
    r"|\b(?:since|given(?: that)?|because|as|considering|why did|how come)\b[^?]*"
    r"\b(?:follow(?:ed|ing)(?: up)?|over time|track(?:ed|ing))\b",
    re.I,
)
_NOT_FOLLOWED = re.compile(
    r"\b(?:(?:only )?one|a single) (?:point in time|time ?-?point|moment)\b|\bsnapshot\b"
    rf"|(?:{NEGATED})[^.;]{{0,20}}\b(?:follow(?:ed)?(?:[- ]?up)?|over time)\b",
    re.I,
)
_DENIED = ((_TREATED, _NOT_TREATED), (_FOLLOWED, _NOT_FOLLOWED))
"""How a question takes for granted that something was done, and how a source says that it wasn't."""
_UNNAMED = re.compile(
    rf"\b(?:{_FORM}|dosing|randomi[sz]\w*|rct|placebo)\b",
    re.I,
)
"""Words of a question on a treatment that a source which denies it need not hold."""
_PEOPLE = "|".join(
    [*(re.escape(name) for names in WHO.values() for name in names), "participants?", "subjects", "people", "families"]
)
_ABOUT = "".join(f"(?<!{word} )" for word in ("than", "over", "least", "about", "around", "under", "most", "to", "of"))
_COUNTED = re.compile(
    rf"(?<![\w.,/-]){_ABOUT}(?P<n>\d{{2,5}})\s+"
    r"(?:(?!(?:weeks?|months?|days?|years?|wks?|mo|hours?|percent|per)\b)[a-z-]+\s+){0,2}?"
    rf"(?:{_PEOPLE})\b(?!['’-])",
    re.I,
)
_OWN = re.compile(r"\b(?:my|our|i|we|i['’]m|i['’]ve)\b", re.I)
_BEYOND = re.compile(
    r"(?:[<>≤≥]|\b(?:above|over|below|under|than|(?:cut[- ]?off|threshold)s?(?: of| at)?))\s*(?P<n>\d+(?:\.\d+)?)\s*"
    r"(?P<unit>%|[pnµμmk]?(?:mol|g|IU)/[a-zµμ]+)",
    re.I,
)


def denial(question: str, study: Study, audience: Audience) -> Sentence | None:
    """Return the first sentence that denies a treatment or a follow-up that a question takes for granted, or None.

    The audience's own part of the page is looked through first. Nothing where the question names what the sentence
    doesn't ("DHA"), or asks of a treatment that no source names ("metformin").
    """
    told = [s for name in SOURCES[audience] for s in study.sentences if s.source == name and s.tells]
    if _TREATED.search(question) and missing_terms(_UNNAMED.sub(" ", question), study):
        return None
    for taken, denied in _DENIED:
        if taken.search(question):
            return next((s for s in told if denied.search(s.text) and codes(question) <= codes(s.text)), None)
    return None


def miscounted(question: str, study: Study) -> str:
    """Return the number of people that a question takes for granted and no source gives ("60 babies"), or "".

    What two numbers of the sources make together is given too.

    >>> from pathlib import Path
    >>> from assistant.corpus import read_corpus
    >>> study = read_corpus(Path("corpus")).studies[0]
    >>> miscounted("Why were 60 babies tested in Cambodia?", study), miscounted("Were the 107 pairs alike?", study)
    ('60 babies', '')
    """
    found = _COUNTED.search(question)
    if not found or _OWN.search(question) or int(found["n"]) in _told(tuple(s.text for s in study.sources)):
        return ""
    return found[0]


def unknown_cut_off(question: str, study: Study) -> str:
    """Return a cut-off that a question names and no source uses ("a cut-off of 148 pmol/L"), or ""."""
    found = _BEYOND.search(question)
    if not found or _OWN.search(question):
        return ""
    used = {Decimal(match["n"]) for source in study.sources for match in _BEYOND.finditer(source.text)}
    return "" if Decimal(found["n"]) in used else f"a cut-off of {found['n']} {found['unit']}"


@functools.lru_cache(64)
def _told(texts: tuple[str, ...]) -> frozenset[int]:
    """Return the whole numbers of texts, and what two of them make together."""
    values = (number.value for text in texts for number in numbers(text))
    alone = {int(value) for value in values if value == int(value)}
    return frozenset(alone | {one + other for one in alone for other in alone})
