"""A message → the part of it that asks, without what it tells of the asker."""

from __future__ import annotations

import re

from assistant.lexical import terms

_LEAST_TERMS = 2
"""Content words that a question needs to stand alone."""
_END = re.compile(r"(?<=[.?!;…])\s+|\n+|(?<=:)\s+(?=[A-Z])|\s+[-–—]+\s+")
_ASK = (
    r"what|what'?s|how|who|who'?s|whom|whose|when|where|why|which|is|isn'?t|are|aren'?t|was|wasn'?t|were|weren'?t|do|does"
    r"|doesn'?t|did|didn'?t|can|could|has|have|had|should|would|will|any|anything"
)
_TELLS = r"i|i'm|(?-i:im)|i'?ve|ive|we|we'?re|my|mine|our|she|she'?s|shes|he|he'?s|hes|nobody|no one"
_CLAUSE = re.compile(rf",\s+(?=(?:and |but |so )?(?:{_ASK}|{_TELLS})\b)", re.I)
_OPENS = re.compile(rf"^\W*(?:(?:and|but|so|ok|okay|also|then|well|now|please|just)\b\W*)*(?:{_ASK})\b", re.I)
_REQUESTS = re.compile(
    r"\b(?:tell|give|show|list|name|explain|summari[sz]e|remind|i need|i want|i'?d like|looking for|wondering)\b", re.I
)
_OF_ASKER = re.compile(
    rf"\b(?:{_TELLS}|me|our|us|someone|somebody)\b|\bhere\W*$"
    r"|^\W*(?:(?:a|as an?) )?(?:\w+ )?"
    r"(?:gp|nurse|midwife|doctor|dietitian|pa?ediatrician|registrar|resident|consultant|pharmacist"
    r"|health visitor|lactation consultant|student|journalist|dad|mum|mom|granny|grandma|parent)\W*$"
    r"|^\W*(?:drafting|writing|preparing|reviewing|reading|working on|looking at)\b",
    re.I,
)
_OF_SOURCES = re.compile(r"\b(?:sa(?:ys?|id)|gives?|states?|reports?|counts?)\b|\d", re.I)
_SOURCES = re.compile(r"\b(?:paper|abstract|article|page|website|study)\b", re.I)
_SCOPE = re.compile(r"\b(?:asking|interested|mean|meant|talking|thinking|wondering|focus\w*|about)\b", re.I)
"""Words of a piece that says what the question is about."""
_RESEARCHERS = re.compile(
    r"\b(?:in|on|from) (?:it|this|there)\b(?=\W*$|[?,.])|\b(?:do|does|did|have|has|had|were|was|could|can|is|are|if"
    r"|whether|what) (?:they|it|this)\b"
    r"(?= (?:\w+ )?(?:say|said|mention|tell|show|look|check|measur|record|report|find|found|includ|test|ask|follow"
    r"|compar|count|back|suggest|recommend"
    r"|stud|big|small|large|enough|reliable|cross|randomi|peer|a\b|an\b))",
    re.I,
)
"""Where "they" are the researchers, and "it" is the study."""
_POINTS_BACK = re.compile(
    r"\b(?:that|those|these|them|such|either|one|ones|it|they|their|he|she|his|her|him)\b"
    r"|\bthere\W*$|\bthis\b(?! (?:study|paper|page|article|research|trial|site))"
    r"|\bhow (?:many|much) (?:were|was|is|are|had|has|did|do|does)\b",
    re.I,
)
_COMPARES = re.compile(
    r"\b(?:lower|higher|less|more|worse|better|affect\w*|change\w*|reduce\w*|raise\w*|increase\w*)\b", re.I
)
_WITH = re.compile(r"\b(?:than|between|versus|vs|compared|with (?:less|more|lower|higher)|or)\b", re.I)


def gist(message: str) -> str:
    """Return a message without the parts that tell of the asker, or all of it where what is left needs them.

    >>> gist("GP here. Does this back screening pregnant women?")
    'Does this back screening pregnant women?'
    >>> gist("Infants were sampled late. Do the authors treat that as a problem?")
    'Infants were sampled late. Do the authors treat that as a problem?'
    """
    pieces = [piece for piece in parts(message) if piece.strip(".,;")]
    kept = [piece for piece in pieces if _asks(piece) or not _tells_of_asker(piece)]
    if len(kept) == len(pieces) or not any(map(_asks, kept)):
        return message
    asked = " ".join(kept).strip(" ,;")
    unfinished = _POINTS_BACK.search(_RESEARCHERS.sub(" ", asked)) or (
        _COMPARES.search(asked) and not _WITH.search(asked)
    )
    if len(terms(asked)) < _LEAST_TERMS or unfinished:
        return message
    return asked


def asking(message: str) -> str:
    """Return the sentences and clauses of a message that ask; all of it where none does or where they need the rest.

    >>> asking("My sister lives in Oslo. What was the zinc level?")
    'What was the zinc level?'
    >>> asking("I take metformin. Does that matter?")
    'I take metformin. Does that matter?'
    """
    asked = " ".join(piece for piece in parts(message) if _asks(piece))
    return message if not asked or _POINTS_BACK.search(_RESEARCHERS.sub(" ", asked)) else asked


def parts(message: str) -> list[str]:
    """Return the sentences of a message, and their clauses where a new one asks or tells of somebody.

    >>> parts("My son is three, what dose did they use? Thanks.")
    ['My son is three', 'what dose did they use?', 'Thanks.']
    """
    return [clause.strip() for piece in _END.split(message) for clause in _CLAUSE.split(piece) if clause.strip()]


def _asks(piece: str) -> bool:
    return bool("?" in piece or _OPENS.match(piece) or _REQUESTS.search(piece))


def _tells_of_asker(piece: str) -> bool:
    told = _SOURCES.search(piece) and _OF_SOURCES.search(piece)
    return bool(_OF_ASKER.search(piece)) and not told and not _SCOPE.search(piece)
