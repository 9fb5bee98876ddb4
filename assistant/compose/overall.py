"""What a study found, all in all: the opening of its own summary, for "what did they find?"."""

from __future__ import annotations

import re

from assistant.compose import SOURCES, Draft
from assistant.compose.phrasing import names, phrase
from assistant.lexical import terms
from assistant.records import Audience, Study

MOST_SENTENCES = 3
_ASKS = re.compile(
    r"\bwhat(?:['’]?s| did| do| does| have| has| were| are| was| is) (?:\w+ ){0,3}?"
    r"(?:find|found|show|shown|discover|discovered|conclude|learn|results?|findings?"
    r"|conclusions?|message|outcomes?|take[- ]?aways?|upshot|gist|bottom line)\b"
    r"|\b(?:main|key|overall|primary|principal) (?:findings?|results?|outcomes?|messages?|conclusions?"
    r"|take[- ]?aways?|points?)\b"
    r"|\b(?:in a nutshell|tl;?dr|bottom line|summari[sz]e|sum (?:it|this|the \w+)(?: all)? up|the gist)\b"
    r"|^\W*(?:give me |(?:the|a|quick|short|brief) )*(?:summary|overview|findings|results|conclusions?)"
    r"\W*(?:please\W*)?$",
    re.I,
)
_GENERAL = frozenset(
    terms(
        "find found show shown discover conclude conclusion learn result finding message takeaway take upshot gist "
        "bottom line outcome main key overall primary principal nutshell tldr dr tl summarise summarize sum summary "
        "overview study paper research researchers authors page article trial two one sentence sentences words word "
        "short brief plain simple english please quick actually tell give say long story actual everything all "
        "basically just simply"
    )
)
_TITLES = re.compile(r"\b(?:summary|overview|key findings|findings|found|results|conclusions?)\b", re.I)


def asks_for_all(question: str) -> bool:
    """Return whether a question asks for what was found as a whole, and for nothing in particular.

    >>> asks_for_all("In a sentence or two, what did they find?"), asks_for_all("What did they find in milk?")
    (True, False)
    """
    return bool(_ASKS.search(question)) and set(terms(question)) <= _GENERAL


def overall(study: Study, audience: Audience) -> list[Draft]:
    """Return the first sentences of the section that sums up, in the source that comes first for an audience."""
    known = {source.name: source for source in study.sources}
    for name in SOURCES[audience]:
        for section in known[name].sections if name in known else ():
            sentences = [sentence for sentence in section.sentences if sentence.tells]
            if _TITLES.search(section.title) and sentences:
                named = names(study.sentences)
                return [Draft(phrase(s, audience, named), (s,)) for s in sentences[:MOST_SENTENCES]]
    return []
