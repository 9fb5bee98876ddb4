"""Whether a question asks if the sources agree, which figures differ, or whether the figures can be trusted."""

from __future__ import annotations

import re

from assistant.records import Study
from assistant.vocabulary import WHO, named_cohorts, named_who

_DIFFER = (
    r"match\w*|agree\w*|disagree\w*|differ\w*|conflict\w*|discrepan\w*|contradict\w*|inconsisten\w*|consistent\w*"
    r"|mismatch\w*|line up|lines up|same|deviat\w*|square with|add up|at odds|diverge\w*"
)
_TEXTS = (
    r"(?:web ?)?page|website|(?:web|this|your|the) site|summary|paper|abstract|article|publication|journal"
    r"|published (?:record|study|version)"
    r"|original|sources?|record"
)
_SAID = r"figures?|numbers?|values?|results?|data|information|facts?|statements?|claims?|this|these|it"
_SURE = r"trust\w*|reliab\w*|rely|correct\w*|accura\w*|right|wrong|believe|errors?|mistakes?|verif\w*|true|credib\w*"
_OTHERS = re.compile(
    r"\b(?:other|another|previous|earlier|similar|more recent|further|past)\s+(?:\w+\s+)?"
    r"(?:stud|paper|research|trial|work|article|literature)",
    re.I,
)
_PAPER = re.compile(
    r"\b(?:paper|abstract|article|publication|journal|pubmed|original|source|published (?:record|study|version))\b",
    re.I,
)
_PAGE = re.compile(
    r"\b(?:(?:web ?)?page|(?:this|your|the|web) ?site|website|on here|you(?:['’]ve| have) (?:got|put)|you (?:say"
    r"|said|show|give|report|state))\b",
    re.I,
)
_BESIDE = re.compile(
    rf"\b(?:{_DIFFER}|but|vs|versus|while|whereas|than|true|which (?:is|one)|as well as)\b|,[^,?]{{0,40}}\b(?:says?"
    rf"|said)\b",
    re.I,
)
_OF_SOURCES = re.compile(
    rf"\b(?:{_DIFFER})\b[^.?!]{{0,80}}\b(?:{_TEXTS})\b|\b(?:{_TEXTS})\b[^.?!]{{0,80}}\b(?:{_DIFFER})\b", re.I
)
_OF_FIGURES = re.compile(
    rf"\b(?:which|what|do|does|are|is|any|where|list|show|all)\b[^.?!]{{0,80}}\b(?:figures?|numbers?"
    rf"|values?)\b[^.?!]{{0,80}}\b(?:{_DIFFER})\b"
    rf"|\b(?:discrepanc\w+|contradiction\w*|disagreement\w*|inconsistenc\w+|conflicts?)\b(?!\s+of\s+interest)",
    re.I,
)
_TRUST = re.compile(
    rf"\b(?:{_SURE})\b[^.?!]{{0,80}}\b(?:{_SAID}|{_TEXTS})\b|\b(?:{_SAID}|{_TEXTS})\b[^.?!]{{0,80}}\b(?:{_SURE})\b",
    re.I,
)
_ABOUT_TRUST = re.compile(
    r"\b(?:figures?|numbers?|values?|results?|data|information|facts?|claims?|page|website|site|paper|study)\b", re.I
)


def asks_about_agreement(question: str, study: Study | None = None) -> bool:
    """Return whether a question asks if the sources agree, which figures differ, or whether the figures hold.

    Args:
        question: As asked, alone understandable.
        study: Whose groups a question may name: "do the figures differ between Canada and Cambodia" is about them.

    >>> asks_about_agreement("Does this page match the paper?"), asks_about_agreement("Can I trust these numbers?")
    (True, True)
    >>> asks_about_agreement("Did B12 levels differ between the two countries?")
    False
    """
    if _OTHERS.search(question) or re.search(r"conflicts? of interest", question, re.I):
        return False
    if _PAPER.search(question) and _PAGE.search(question) and _BESIDE.search(question):
        return True
    if study is not None and named_cohorts(question, study):
        return False
    of_groups = re.search(r"\bbetween\b(?!.*\b(?:page|website|site|paper|abstract|sources?|article)\b)", question, re.I)
    if of_groups or named_who(question, WHO):
        return bool(_OF_SOURCES.search(question))
    trusted = _TRUST.search(question) and _ABOUT_TRUST.search(question) and not re.search(r"\bmy\b", question, re.I)
    return bool(_OF_SOURCES.search(question) or _OF_FIGURES.search(question) or trusted)
