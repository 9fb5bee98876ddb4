"""A follow-up and its history → a question that stands alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.lexical import terms
from assistant.records import Study, Turn
from assistant.vocabulary import cohort_pattern, names

_LEADS = re.compile(
    r"^(?:(?:ok(?:ay)?|right|hmm+|oh|so|well|thanks|thank you|great)[\s,.!]+)*"
    r"(?P<lead>and\b|but\b|or\b|also\b|what about|how about|how come|why\b|what of|same for|same question"
    r"|for the|in the"
    r"|then\b)",
    re.I,
)
_POINTS_BACK = re.compile(
    r"\b(?:the other (?:one|ones|group|groups|country|countries|place|places|site|cohort|arm|two)|the "
    r"others?|the same|"
    r"that|those|these|this one|them|both|each|either|it|its|there|then|one|ones|the former|the latter)\b",
    re.I,
)
_OTHER = re.compile(
    r"\b(?:in |for |of |from )?the other (?:one|group|country|place|site|cohort|arm|city)\b|\bthe others?\b", re.I
)
_WHY = re.compile(
    r"^\W*(?:but |and |so |ok(?:ay)? )*(?:how come|why(?: is that| so| not| that)?|what(?:'s| is) the "
    r"reason)\W*$",
    re.I,
)
_FILLER = frozenset(
    "ok okay right hmm oh so well thank great and also what about how same question pleas tell please".split()
)
_ASKS_ANEW = re.compile(
    r"\b(?:what (?:is|are|was|were|did|do|does)|who|when|where|which|is|are|was|were|did|do|does)\b", re.I
)
_ELSE = re.compile(r"\b(?:else|besides|apart from|other than|more|another)\b", re.I)
_ABOUT_STUDY = re.compile(r"\b(?:study|paper|page|trial|researchers?|authors?|they|findings?|results?)\b", re.I)


def standalone(question: str, history: Sequence[Turn], study: Study) -> str:
    """Return the question as it would be asked without the history; unchanged where it needs none.

    "And in Cambodia?" takes the question before it with the place exchanged; "how come?" asks why the last reply's
    first statement is so; anything else that points back is asked together with the question before it.
    """
    asked = [turn["content"] for turn in history if turn["role"] == "user"]
    if not asked or not follows_up(question, study):
        return question
    previous = asked[-1] if len(asked) == 1 else standalone(asked[-1], _before_last(history), study)
    if _WHY.match(question):
        replies = [turn["content"] for turn in history if turn["role"] == "assistant"]
        return f"Why? {_first_statement(replies[-1])}" if replies else f"Why? {previous}"
    who, cohorts = _who(study), _cohorts(study)
    if _OTHER.search(question):
        swapped = _other(previous, cohorts, [turn["content"] for turn in history])
        if swapped:
            return swapped
    exchanged = previous
    changed = False
    rest = question
    for alternatives in (who, cohorts):
        new, old = _named(question, alternatives), _named(previous, alternatives)
        if len(new) == 1 and new != old:
            exchanged = _exchange(exchanged, alternatives, alternatives[new[0]][0], bool(old))
            changed = True
        for _, pattern in alternatives:
            rest = pattern.sub(" ", rest)
    left = [term for term in terms(rest) if term not in _FILLER]
    if changed and not left:
        return exchanged
    measures = {finding.measure for finding in study.findings}
    if len(left) == 1 and _LEADS.match(question) and not changed and not _ASKS_ANEW.search(question):
        told = _measure(previous, measures)
        if told:
            return re.sub(re.escape(told), lambda _: _content(question), previous, flags=re.I)
    return f"{exchanged.rstrip('?. ')}? {question}"


def follows_up(question: str, study: Study) -> bool:
    """Return whether a question can't be understood without what was said before it.

    It opens like a continuation or points back, and brings too little of its own to stand alone.
    """
    own = [term for term in terms(question) if term not in _FILLER]
    if _WHY.match(question):
        return True
    lead, points = _LEADS.match(question), _POINTS_BACK.search(question)
    if _OTHER.search(question):
        return len(own) <= 5
    if lead and lead["lead"].lower() not in ("why", "for the", "in the"):
        return len(own) <= 4
    if _ELSE.search(question):
        return len(own) <= 3
    if points:
        return len(own) <= 3 and not re.search(
            r"\b(?:is|was|are|were|does|did) (?:it|there|this|that) (?:study|paper|a|an|any)\b", question, re.I
        )
    return len(own) <= 1 and len(question.split()) <= 4 and not _ABOUT_STUDY.search(question)


def _before_last(history: Sequence[Turn]) -> Sequence[Turn]:
    """Return the turns before the last thing the user asked."""
    last = max(at for at, turn in enumerate(history) if turn["role"] == "user")
    return history[:last]


def _first_statement(reply: str) -> str:
    """Return a reply's first sentence, its markers left out."""
    plain = re.sub(r"\s*\[\d+\]", "", reply)
    return re.split(r"(?<=[.!?])\s", plain.strip(), maxsplit=1)[0][:300]


Alternatives = Sequence[tuple[str, re.Pattern[str]]]
"""Values of one kind, each with what finds it in a text."""


def _who(study: Study) -> Alternatives:
    """Return whom the study measured, with the words for each."""
    found = dict.fromkeys(["mother", "infant", "milk", *(finding.who for finding in study.findings)])
    return [
        (
            {"milk": "breast milk"}.get(who, who),
            re.compile(rf"\b(?:breast |human )?(?:{'|'.join(map(re.escape, names(who)))})(?:['’]s?)?(?!\w)", re.I),
        )
        for who in found
        if who != "dyad"
    ]


def _cohorts(study: Study) -> Alternatives:
    """Return the cohorts of the findings, with the words for each."""
    found = dict.fromkeys(finding.cohort for finding in study.findings if finding.cohort)
    return [(cohort, cohort_pattern(cohort, study)) for cohort in found]


def _named(text: str, alternatives: Alternatives) -> list[int]:
    """Return the positions of the alternatives that a text names."""
    return [at for at, (_, pattern) in enumerate(alternatives) if pattern.search(text)]


def _exchange(text: str, alternatives: Alternatives, new: str, named: bool) -> str:
    """Return the text with every alternative that it names replaced, or the new one added."""
    if not named:
        return f"{text.rstrip('?. ')} ({new})?"
    for _, pattern in alternatives:
        text = pattern.sub(f"\0{new}\0", text)
    return re.sub(r"\0+", "\0", text).replace("\0", "")


def _other(previous: str, cohorts: Alternatives, said: Sequence[str]) -> str:
    """Return the question before with the other of two cohorts in it, or "" where it is not clear which."""
    if len(cohorts) != 2:
        return ""
    for text in (previous, *reversed(said)):
        named = _named(text, cohorts)
        if len(named) == 1:
            return _exchange(previous, cohorts, cohorts[1 - named[0]][0], bool(_named(previous, cohorts)))
    return ""


def _measure(text: str, measures: Iterable[str]) -> str:
    """Return the words of a text that name a measure of the findings, or ""."""
    for measure in sorted(measures, key=len, reverse=True):
        for words in (measure, measure.split()[-1]):
            if len(words) > 2 and re.search(rf"\b{re.escape(words)}\b", text, re.I):
                return words
    return ""


def _content(question: str) -> str:
    """Return what a short follow-up names, its opening words and marks left out."""
    return re.sub(r"\W+$", "", _LEADS.sub("", question, count=1)).strip(" ,?.") or question
