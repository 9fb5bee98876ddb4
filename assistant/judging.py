"""A question → its candidate sentences, and what the evidence says of them; of the whole question or of its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.compose.extractive import Candidate
from assistant.compose.refusal import missing_terms
from assistant.embed import Vectors
from assistant.evidence import CANDIDATES, Evidence, Judgement
from assistant.records import Hit, Study
from assistant.reported import unreported
from assistant.retrieve import Retriever
from assistant.vocabulary import named_cohorts

_POINTS_BACK = re.compile(r"\b(?:it|its|they|them|their|that|those|these|one|ones)\b", re.I)
"""Words by which a part of a question needs the part before it."""
_VITAMIN = re.compile(r"\bvitamins?\s+(?=[A-K]-?\d)", re.I)
"""A word that "B12" means by itself; with it the evidence model misses a sentence that says "B12" alone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with its candidates and their judgement."""

    question: str
    hits: tuple[Hit, ...]
    judgement: Judgement

    @property
    def candidates(self) -> list[Candidate]:
        """The sentences, each with its probability and its retrieval score."""
        pairs = zip(self.hits, self.judgement.sentences, strict=True)
        return [Candidate(hit.sentence, probability, hit.score) for hit, probability in pairs]


@dataclass(frozen=True, slots=True)
class Parts:
    """What becomes of a question's parts.

    Attributes:
        answered: Those that are answered, together, or None.
        missing: What another one asks for and no source mentions, or "".
        unanswered: Those that no candidate answers and that stand alone.
    """

    answered: Judged | None
    missing: str
    unanswered: tuple[str, ...]


class Judging:
    """Finds and judges the candidates of one study."""

    def __init__(self, retriever: Retriever, evidence: Evidence, study: Study) -> None:
        self._retriever = retriever
        self._evidence = evidence
        self._study = study

    def judge(self, question: str, vector: Vectors) -> Judged:
        """Return a question judged over the sentences that bear on it most; `vector` is its embedding, `(d,)`."""
        return self._over(question, self._find(question, vector))

    def by_part(self, whole: Judged, pieces: Sequence[str]) -> Parts:
        """Return which parts of a question are answered by themselves."""
        asked = [part for part in pieces if not unreported(part, self._study)]
        judged = [self._over(part, whole.hits) for part in asked]
        bar = (1 + self._evidence.threshold) / 2  # a part says less than the whole: be surer of it
        answered = [part for part in judged if part.judgement.answered >= bar]
        unanswered = tuple(
            part.question
            for part in judged
            if part.judgement.answered < self._evidence.threshold and not _POINTS_BACK.search(part.question)
        )
        if not answered:
            return Parts(None, "", unanswered if len(unanswered) == len(pieces) else ())
        if len(answered) == 1:
            together = answered[0]
        else:
            best = tuple(map(max, zip(*(part.judgement.sentences for part in answered), strict=True)))
            least = min(part.judgement.answered for part in answered)
            together = Judged(whole.question, whole.hits, Judgement(best, least))
        lacking = (missing_terms(part.question, self._study) for part in judged if part not in answered)
        return Parts(together, next(filter(None, lacking), ""), unanswered)

    def _find(self, question: str, vector: Vectors) -> tuple[Hit, ...]:
        """Return the candidates; what is said of another group alone is none for the one that is asked about."""
        hits = self._retriever.search(question, vector, CANDIDATES + 8, self._study.pmid)
        telling = [hit for hit in hits if hit.sentence.tells]
        if groups := named_cohorts(question, self._study):
            others = {hit: named_cohorts(hit.sentence.text, self._study) for hit in telling}
            telling = [hit for hit, named in others.items() if not named or named & groups]
        return tuple(telling[:CANDIDATES])

    def _over(self, question: str, hits: tuple[Hit, ...]) -> Judged:
        texts = [hit.sentence.in_context for hit in hits]
        return Judged(question, hits, self._evidence.judge(_VITAMIN.sub("", question), texts))
