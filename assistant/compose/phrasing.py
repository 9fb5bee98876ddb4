"""Source sentences → sentences that can stand alone in a reply; words change, figures and claims don't."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.records import Audience, Sentence

_VERBS = frozenset(
    "had has have was were is are did does do showed shows saw got gained lost took takes gave gives rose fell grew "
    "stayed remained became came went made helps helped led leads found scored slept ate drank kept needed needs "
    "included received reached dropped improved increased decreased reduced lasted varied ranged differed correlated "
    "may might can could will would should must".split()
)
_SUBJECT = re.compile(
    r"^(?:the|a|an|this|these|those|that|there|it|they|we|you|he|she|no|some|most|many|all|both|each|every|researchers|"
    r"scientists|babies|infants|mothers|women|children|blood|if|when|talk|make|ask|good)\b",
    re.I,
)
# A sentence that opens with a bare pronoun loses its subject when it stands alone.
_OPENINGS = (
    (
        re.compile(r"^It (?=(?:found|showed|looked|compared|measured|reported|included|was carried|took place)\b)"),
        "The study ",
    ),
    (re.compile(r"^This (suggest|show|indicate|highlight|mean)s\b"), r"The findings \1"),
    (re.compile(r"^It (?=(?:underscores|highlights|suggests)\b)"), "The study "),
    (re.compile(r"(?<=, )it (?=(?:underscores|highlights|suggests)\b)"), "the study "),
)
_NEEDS_PREVIOUS = re.compile(
    r"^(?:They|He|She|It|Those|These|Them|Both|Each)\s+(?!results\b|findings\b|data\b|groups?\b)"
)
_TEST = re.compile(
    r"\s*[(\[][rpP]\s*[=<>≤≥]\s*-?[\d.]+(?:[;,]\s*[rpP]\s*[=<>≤≥]\s*-?[\d.]+)*[)\]]"
    r"|[;,]\s*[pP]\s*[=<>≤≥]\s*[\d.]+"
)
_REFERENCE = re.compile(r"\s*\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]")
"""A source's own pointer to its references ("[12]", "[3, 4]"), which would pass for a citation of ours."""
_TIMES = re.compile(r"(\d)\s?[x×](?=\s)")


def names(sentences: Iterable[Sentence]) -> frozenset[str]:
    """Return the words that a text writes with a capital in mid-sentence: names, which keep it anywhere."""
    found: set[str] = set()
    plain: set[str] = set()
    for sentence in sentences:
        found.update(re.findall(r"(?<=[a-z,;] )[A-Z][\w'’-]*", sentence.body))
        plain.update(re.findall(r"\b[a-z][\w'’-]*", sentence.body))
    return frozenset(word for word in found if word.lower() not in plain)


def standing(sentence: Sentence, previous: Sentence | None) -> tuple[Sentence, ...]:
    """Return the sentences that must be said together for the last of them to be understood."""
    needs = _NEEDS_PREVIOUS.match(sentence.body) and not any(p.match(sentence.body) for p, _ in _OPENINGS)
    if needs and previous and previous.tells and previous.section == sentence.section:
        return (previous, sentence)
    return (sentence,)


def phrase(sentence: Sentence, audience: Audience, named: frozenset[str]) -> str:
    """Return a source's sentence or bullet as a sentence of a reply.

    A bullet's fragment gets its label as the subject; a parent is spared test statistics in brackets, no figures.

    Args:
        named: Words that keep their capital; see `names`.
    """
    text = _REFERENCE.sub("", " ".join(_with_label(sentence, named).split()))
    for pattern, replacement in _OPENINGS:
        text = pattern.sub(replacement, text)
    text = re.sub(r"^[^\w\"'“‘(]+", "", text)
    if audience == "parent":
        text = _TIMES.sub(r"\1 times", _TEST.sub("", text))
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", ":", "”", '"')) else f"{text}."


def _with_label(sentence: Sentence, named: frozenset[str]) -> str:
    label, body = sentence.label, sentence.body
    if body == sentence.text:
        return body
    plain = _lowered(label, named)
    lowered_body = _lowered(body, named)
    first = re.match(r"[\w'’]+", body)
    verb = first[0].lower() if first else ""
    if re.match(r"(?:if|when|while|for|because|since|unless|although|in|at|during|after|before)\b", label, re.I):
        return f"{plain}, {lowered_body}"
    if re.match(
        r"(?:don['’]t|do|keep|talk|ask|see|call|consider|think|remember|eat|take|get|try|avoid|check|look)\b",
        label,
        re.I,
    ):
        return body
    who = re.match(r"who (?:was|were) (\w+)$", label, re.I)
    if who and not _has_verb(body):
        return f"Those {who[1].lower()} were {lowered_body}"
    if verb in _VERBS or (re.match(r"\w+ed$", verb) and not _SUBJECT.match(body)):
        return f"{plain} {lowered_body}"
    if re.match(r"(?:you|your)\b", body, re.I):
        return f"For {plain}: {lowered_body}"
    if _has_verb(body):
        return body
    return f"{plain}: {lowered_body}"


def _has_verb(text: str) -> bool:
    return any(
        word in _VERBS for word in re.findall(r"[a-z]+", re.split(r"[,(]| (?:who|that|which) ", text.lower())[0])
    )


def _lowered(text: str, named: frozenset[str]) -> str:
    """Return a text with title-case words in lower case, names and abbreviations excepted."""

    def lower(match: re.Match[str]) -> str:
        word = match[0]
        keeps = word in named or not word[1:].islower() or word == "I"
        return word if keeps else word.lower()

    return re.sub(r"\b[A-Z][\w-]*", lower, text, count=0 if text.istitle() or len(text) < 60 else 1)
