"""What a text says of groups: who has more, which figure is whose, what is denied of whom. Text only, no study."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assistant.lexical import terms
from assistant.numerals import numbers

Groups = Mapping[str, re.Pattern[str]]
"""What finds each group in a text, by the group's name."""

UP = frozenset(
    "higher more greater larger increase increased increases increasing rose raised above better stronger exceeded "
    "exceeds highest most bigger elevated gained doubled".split()
)
DOWN = frozenset(
    "lower less fewer smaller decrease decreased decreases decreasing fell reduced below worse weaker lowest least "
    "declined dropped diminished under halved".split()
)
NEGATION = re.compile(
    r"\b(?:no|not|none|never|neither|nor|without|cannot|nobody|nothing|lack(?:s|ed|ing)?|absent|fail(?:s|ed)?|un(?:known|"
    r"clear|able|supplemented|related|affected|changed|likely))\b|n['’]t\b|\bnon-?(?=[a-z])",
    re.I,
)
_REFERENCE = re.compile(
    r"(?:\bthan|\b(?:compared|in comparison) (?:to|with)|\bversus|\bvs\.?|\bunlike|\brelative to|\bas opposed to)"
    r"\s+(?:[\w'’-]+\s+){0,5}$",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\b(?:while|whereas)\b", re.I)
_CLAUSE = re.compile(
    r"[,;:]\s+|\s[–—-]\s|\b(?:while|whereas|but|although|though|and|or|so|because|which)\b|(?<=[.!?])\s+", re.I
)
_SEGMENT = re.compile(r"[,;:()\[\]]|\b(?:while|whereas|but|and|than|versus|vs|compared)\b\.?|(?<=[.!?])\s+", re.I)
_INSIGNIFICANT = re.compile(
    r"\b(?:no|not|non|never|nor|without|neither|n['’]t)\b[\s-]*(?:\w+\s+){0,3}?significan|\binsignifican", re.I
)
_P = re.compile(r"\bp\s*(?P<sign>[<>=≤≥])\s*(?P<value>0?\.\d+)", re.I)
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


@dataclass(frozen=True, slots=True)
class Mention:
    """A group where a text names it; a reference is what something else is compared to ("than in Canada")."""

    name: str
    start: int
    reference: bool


def mentions(text: str, groups: Groups) -> list[Mention]:
    """Return where a text names groups, in order."""
    found = [
        Mention(name, match.start(), bool(_REFERENCE.search(text[: match.start()])))
        for name, pattern in groups.items()
        for match in pattern.finditer(text)
    ]
    return sorted(found, key=lambda mention: mention.start)


def leaders(text: str, groups: Groups) -> frozenset[str]:
    """Return which groups a text says to have more; of more than two groups, "-name" for the one that has less.

    >>> pair = {"Canada": re.compile("Canad"), "Cambodia": re.compile("Cambod")}
    >>> sorted(leaders("Milk B12 was lower in Cambodia than in Canada.", pair))
    ['Canada']
    """
    found = set()
    for sentence in _SENTENCE.split(_IN_BRACKETS.sub(" ", text)):
        named = mentions(sentence, groups)
        subjects = [mention for mention in named if not mention.reference]
        for match in re.finditer(r"[a-z]+", sentence.lower()):
            if match[0] not in UP | DOWN or not named:
                continue
            if subjects:
                before = [mention for mention in subjects if mention.start < match.start()]
                subject = before[-1].name if before else subjects[0].name
            elif len(groups) == 2:
                subject = next(name for name in groups if name != named[0].name)
            else:
                continue
            others = [name for name in groups if name != subject]
            if match[0] in UP:
                found.add(subject)
            else:
                found.add(others[0] if len(groups) == 2 else f"-{subject}")
    return frozenset(found)


def whose(text: str, groups: Groups) -> Iterator[tuple[Decimal, str]]:
    """Yield the numbers of a text with the group that each belongs to, where the text says so.

    A group in a number's own segment owns it; a list of groups owns a list of numbers in order; otherwise the group
    named last before it that isn't what something is compared to.

    >>> pair = {"Canada": re.compile("Canad"), "Cambodia": re.compile("Cambod")}
    >>> [(str(n), name) for n, name in whose("It was higher in Canada than in Cambodia (348 vs. 171).", pair)]
    [('348', 'Canada'), ('171', 'Cambodia')]
    """
    named = mentions(text, groups)
    found = list(numbers(text))
    if not named or not found:
        return
    cuts = [0, *(match.start() for match in _SEGMENT.finditer(text)), len(text)]
    own: list[str] = []
    for number in found:
        start = max(cut for cut in cuts if cut <= number.start)
        end = min(cut for cut in cuts if cut > number.start)
        here = {mention.name for mention in named if start <= mention.start < end}
        own.append(here.pop() if len(here) == 1 else "")
    order = list(dict.fromkeys(mention.name for mention in named))
    if len(order) == 1 and len(groups) == 2 and len(found) % 2 == 0 and re.search(r"\b(?:vs|versus)\b", text, re.I):
        order.append(next(name for name in groups if name != order[0]))
    if not any(own) and len(order) > 1 and len(found) % len(order) == 0:
        own = [order[at % len(order)] for at in range(len(found))]
    for number, name in zip(found, own, strict=True):
        if not name:
            before = [mention for mention in named if mention.start < number.start and not mention.reference]
            name = before[-1].name if before else named[0].name
        yield number.value, name


def denials(text: str, groups: Groups) -> dict[str, set[bool]]:
    """Return for each group whether what is said of it is denied, over the clauses that name it alone."""
    found: dict[str, set[bool]] = {}
    for clause in re.split(r"[,;:]\s+|\b(?:while|whereas|but|although)\b|(?<=[.!?])\s+", _IN_BRACKETS.sub(" ", text)):
        named = {mention.name for mention in mentions(clause, groups) if not mention.reference}
        if len(named) == 1:
            found.setdefault(named.pop(), set()).add(bool(NEGATION.search(clause)))
    return found


def significance(text: str) -> frozenset[bool]:
    """Return what a text says of significance: it is there, it isn't, both, or nothing; p-values count, cut at 0.05."""
    found = set()
    rest = _INSIGNIFICANT.sub(" ", text)
    if rest != text:
        found.add(False)
    if re.search(r"\bsignifican", rest, re.I):
        found.add(True)
    for match in _P.finditer(text):
        value = Decimal(match["value"])
        if match["sign"] in "<≤=" and value <= Decimal("0.05"):
            found.add(True)
        elif match["sign"] in ">≥=" and value >= Decimal("0.05"):
            found.add(False)
    return frozenset(found)


def clauses(text: str) -> list[str]:
    """Return the clauses of a text, split at commas and joining words."""
    return [clause.strip() for clause in _CLAUSE.split(text) if clause and clause.strip()]


def turned(statement: str, quotes: Sequence[str]) -> bool:
    """Return whether a clause affirms what its nearest clause in the quotes denies, or the other way round."""
    sources = [(set(terms(clause)), clause) for quote in quotes for clause in clauses(quote)]
    for clause in clauses(statement):
        own = set(terms(clause))
        if len(own) < 2 or not sources:
            continue
        best = max(len(own & words) / len(own) for words, _ in sources)
        if best < 0.6:
            continue
        nearest = [text for words, text in sources if len(own & words) / len(own) == best]
        if {bool(NEGATION.search(text)) for text in nearest} == {not NEGATION.search(clause)}:
            return True
    return False
