"""The default composer: a reply out of the source's own sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.compose import Draft
from assistant.compose.phrasing import names, phrase, standing
from assistant.compose.siblings import with_sibling
from assistant.lexical import terms
from assistant.numerals import numbers
from assistant.records import Audience, Sentence, Study

PUBLISHED = "published"
MOST_STATEMENTS = 4
REPEATS = 0.72
"""Share of a sentence's idf mass that earlier statements may carry before it counts as said already."""
RELEVANCE = 4.0
"""Weight of the retrieval score beside the evidence's log-odds when sentences are ranked.

Source: questions held aside for calibration; first sentence right .757 with it, .729 without (.684 and .642 on pages).
"""
_PREFERRED: dict[Audience, dict[str, float]] = {
    "parent": {"summary": 0.7, "technical": 0.0, "published": -0.3},
    "clinician": {"technical": 0.7, "published": 0.1, "summary": -0.4},
}
NEAR = 2.0
"""A further statement that adds no word of the question must rank so near the first, in log-odds."""
_ASKED_FOR = 4.0
_WHY = re.compile(r"\b(?:why|how come|reasons?|explain\w*|because|causes?)\b", re.I)
_REASON = re.compile(
    r"\b(?:because|due to|owing to|suggests?|influenc\w+|impacts?|explain\w*|reflects?|depends?|driven|lacks?|lacking"
    r"|role|essential|crucial|important|importance|limits?|confound\w*|since)\b",
    re.I,
)
_GIVES_REASON = 2.0
"""What a sentence that gives a reason, and no p-value, is worth more where a question asks why, in log-odds."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence, the probability that it answers the question, in [0, 1], and its retrieval score."""

    sentence: Sentence
    probability: float
    relevance: float = 0.0

    @property
    def rank(self) -> float:
        """What sentences are ranked by; higher is better."""
        odds = self.probability / (1 - min(self.probability, 1 - 1e-6))
        return math.log(max(odds, 1e-6)) + RELEVANCE * self.relevance


def compose(
    question: str,
    candidates: Sequence[Candidate],
    study: Study,
    audience: Audience,
    *,
    floor: float,
    idf: Callable[[str], float],
    prefer: Sequence[str] = (),
    published: str = "",
) -> list[Draft]:
    """Return at most four drafts, the one that answers first, none saying what another said.

    Args:
        floor: Candidates below this probability are left out, except the best one.
        idf: Inverse document frequency of a stemmed term in the corpus.
        prefer: Sources that the question asks for; their sentences come first.
        published: Words before a statement that rests on the published paper alone.
    """
    named = names(study.sentences)
    before = _previous(study)
    asked = set(terms(question))
    weight = _PREFERRED[audience] | dict.fromkeys(prefer, _ASKED_FOR)
    why = bool(_WHY.search(question))
    ranked = sorted(
        (c for c in candidates if c.sentence.tells),
        key=lambda c: -(c.rank + weight.get(c.sentence.source, 0.0) + (why and _GIVES_REASON * _reasons(c.sentence))),
    )
    if not ranked:
        return []
    drafts: list[Draft] = []
    said: set[str] = set()
    figures: set[object] = set()
    best = max(c.probability for c in ranked)
    page = max((c.probability for c in ranked if c.sentence.source != PUBLISHED), default=0.0)
    if page >= floor and PUBLISHED not in prefer:
        # What the paper says of the same is shown beside the page by the notice of conflicts, not mixed in.
        ranked = [c for c in ranked if c.sentence.source != PUBLISHED or c.probability > page + 0.15]
    for candidate in ranked:
        sentence = candidate.sentence
        if candidate.probability < (max(floor, 0.7 * best) if drafts else min(floor, 0.55 * best)):
            continue
        group = standing(sentence, before.get(sentence))
        if not drafts:
            group = with_sibling(group, question, study)
        own = {term for part in group for term in terms(part.body)}
        values = {number.value for part in group for number in numbers(part.body)}
        mass = sum(map(idf, own)) or 1.0
        repeated = sum(map(idf, own & said)) / mass
        new_asked = (own & asked) - said
        far = candidate.rank < ranked[0].rank - NEAR
        if drafts and (far or repeated > REPEATS or (values and values <= figures)) and not new_asked:
            continue
        if any(set(group) & set(draft.cites) for draft in drafts):
            continue
        text = " ".join(phrase(part, audience, named) for part in group)
        if sentence.source == PUBLISHED and published:
            text = f"{published} {text}"
        drafts.append(Draft(text, group))
        said |= own
        figures |= values
        if len(drafts) == MOST_STATEMENTS:
            break
    return drafts


def _reasons(sentence: Sentence) -> bool:
    return bool(_REASON.search(sentence.text)) and not re.search(r"\bp\s*[<=>]", sentence.text, re.I)


def joined(figures: Sequence[Draft], sentences: Sequence[Draft]) -> list[Draft]:
    """Return drafts of figures before drafts of sentences, those left out that cite nothing new."""
    cited = {sentence for draft in figures for sentence in draft.cites}
    return [*figures, *(draft for draft in sentences if not set(draft.cites) <= cited)][:MOST_STATEMENTS]


def _previous(study: Study) -> dict[Sentence, Sentence]:
    """Return for each sentence the one before it in its section."""
    return {
        second: first
        for source in study.sources
        for section in source.sections
        for first, second in zip(section.sentences, section.sentences[1:], strict=False)
    }
