"""Everyday words for those who are studied, for places, for kinds of figures; shared by all that reads findings."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from typing import Literal

import Stemmer

from assistant.records import Finding, Study

Kind = Literal["level", "percent", "count", "correlation", "state"]

WHO: dict[str, tuple[str, ...]] = {
    "mother": tuple("mother mothers maternal mum mums mummy mom moms mommy mama mamas woman women".split()),
    "milk": tuple("milk breastmilk".split()),
    "infant": tuple(
        "infant infants baby babies bub bubs newborn newborns neonate neonates infantile child children "
        "kid kids".split()
    )
    + ("little one", "little ones"),
    "dyad": tuple("dyad dyads pair pairs".split()),
}
"""Words for whom or what was measured, by the name that findings use; a `who` not listed here is its own word."""

_WORD = re.compile(r"[^\W_]+")
# What turns a place into its people: Canada → Canadian, Peru → Peruvian, Nepal → Nepali, Finland → Finlander.
_DEMONYM = re.compile(r"(?:|a|n|an|ian|ean|vian|gian|egian|ese|nese|ish|i|ni|er|lander|er|e)s?")
_CORRELATED = re.compile(r"correlat|associat|^(?:r|rho|r2|tau|kappa)$", re.I)
NEGATED = r"\b(?:no|not|none|never|neither|without|nobody|n[’']t)\b|n[’']t\b"
_stemmer = Stemmer.Stemmer("english")


def words(text: str) -> list[str]:
    """Return the words of a text in order, lower case, possessives and contractions off, "B-12" as one word.

    >>> words("What's the babies' B-12?")
    ['what', 'the', 'babies', 'b12']
    """
    text = re.sub(r"[’']", "'", text.lower())
    text = re.sub(r"(?:n't|'(?:s|d|re|ve|ll|m|t))\b|'", " ", text)
    text = re.sub(r"\b([b-mo-z])[- ](\d+)\b", r"\1\2", text)
    return _WORD.findall(text)


@functools.lru_cache(4096)
def stem(word: str) -> str:
    """Return the stem of a word in lower case."""
    return str(_stemmer.stemWord(word))


def stems(text: str) -> list[str]:
    """Return the stems of the words of a text, in order, repeats kept."""
    return [stem(word) for word in words(text)]


def names(who: str) -> tuple[str, ...]:
    """Return the words that stand for a `who`, its own name among them.

    >>> names("toddler")
    ('toddler', 'toddlers')
    """
    return WHO.get(who) or (who.lower(), who.lower() + "s")


def kind(finding: Finding) -> Kind:
    """Return what sort of finding it is: a level, a share, a head count, a correlation, or a state without number."""
    if _CORRELATED.search(finding.statistic) or (
        finding.value is None and re.search(r"correlat|associat", finding.measure, re.I)
    ):
        return "correlation"
    if finding.value is None:
        return "state"
    if finding.unit == "%" or finding.statistic in {"percent", "proportion"}:
        return "percent"
    return "count" if finding.statistic in {"count", "n", "number"} else "level"


def negated(text: str, near: Collection[str] = ()) -> bool:
    """Return whether a text denies: a negation stands in it, or within five words before one of the stems `near`."""
    if not near:
        return bool(re.search(NEGATED, text, re.I))
    for match in re.finditer(NEGATED, text, re.I):
        clause = re.split(r"[;.]", text[match.end() :])[0]
        if set(stems(clause)[:5]) & set(near):
            return True
    return False


def cohort_pattern(cohort: str, study: Study) -> re.Pattern[str]:
    """Return what finds a cohort in a text: its name, its people (Canadian), a place in it that the study names."""
    return _pattern(cohort, (study.title, *(source.text for source in study.sources)))


def named_cohorts(text: str, study: Study) -> frozenset[str]:
    """Return which cohorts of a study's findings a text names."""
    cohorts = dict.fromkeys(finding.cohort for finding in study.findings if finding.cohort)
    return frozenset(cohort for cohort in cohorts if cohort_pattern(cohort, study).search(text))


@functools.lru_cache(256)
def _pattern(cohort: str, texts: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern for a cohort; kept, since every question asks for it and the texts don't change."""
    parts = words(cohort)
    if not parts:
        return re.compile(r"(?!)")
    if len(parts) > 1:
        # "low and high dose" names both groups.
        found = [r"\b" + r"\W+(?:\w+\W+){0,2}?".join(map(re.escape, parts)) + r"s?\b"]
    else:
        found = [_people(parts[0])]
    for text in texts:
        for match in re.finditer(rf"((?:[A-Z][\w’'-]+ ?){{1,3}}), {re.escape(cohort)}\b", text):
            found.append(rf"\b{re.escape(match[1])}\b")
    return re.compile("|".join(dict.fromkeys(found)), re.I)


def _people(place: str) -> str:
    """Return a pattern for a one-word name and the words made from it ("canada" → Canadian, Canadians)."""
    exact = rf"\b{re.escape(place)}s?\b"
    shortest = max(4, len(place) - 2)
    roots = sorted({place[:length] for length in range(shortest, len(place) + 1)}, key=len, reverse=True)
    return exact + "".join(rf"|\b{re.escape(root)}{_DEMONYM.pattern}\b" for root in roots if len(place) >= 4)


def named_who(text: str, found: Collection[str]) -> tuple[str, ...]:
    """Return which of these `who` a text names, in their order."""
    flat = " ".join(words(text))
    return tuple(who for who in found if re.search(rf"\b(?:{'|'.join(map(re.escape, names(who)))})\b", flat))
