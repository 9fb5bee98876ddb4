"""One reply under way, for one study and audience: find, judge, and compose what is to be delivered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import agreement, bibliography, notices, parts, rewrite
from assistant.compose import Draft, extractive
from assistant.compose.correcting import contradicts, corrected
from assistant.compose.figured import Figured, by_part
from assistant.compose.overall import asks_for_all, overall
from assistant.compose.phrasing import names
from assistant.compose.refusal import missing_name, missing_terms, suggestions
from assistant.delivery import Delivery
from assistant.embed import Embedder, Vectors
from assistant.errors import ModelError
from assistant.evidence import Evidence
from assistant.figures import sources_named
from assistant.gist import asking, gist
from assistant.judging import Judged, Judging, Parts
from assistant.language import language_of
from assistant.lexical import terms
from assistant.messages import Messages
from assistant.numerals import numbers
from assistant.premises import miscounted, unknown_cut_off
from assistant.records import Answer, Audience, Statement, Study, Turn
from assistant.reported import unreported
from assistant.retrieve import Retriever
from assistant.support import Support
from assistant.translation import CHECKED
from assistant.triage import Triaged

if TYPE_CHECKING:
    from assistant.compose.llm import LanguageModel

FIGURED = 0.95
"""Confidence in a figure that a question asks for in the study's own words. Source: `study-assistant eval`."""
SURE, HALF_SURE = 0.8, 0.6
"""Confidence below which a reply says that it is not sure, and that it may have missed the question."""
SURE_WITHOUT_NAME = 0.95
"""Evidence that makes up for a name in the question that the study never mentions ("was it Toronto?")."""
OFF_TOPIC = 0.85
"""Evidence that makes a question on the study of one that looks off topic."""
SURELY_OFF_TOPIC = 0.7
"""From this probability on a question that nothing answers is off topic; below, if nothing comes near it either."""
PERHAPS = 0.3
"""From this probability on, what a refusal shows as the nearest thing is not called no answer: one in three is one."""
FAR_OFF = 0.38
"""A question whose best hit scores less, and which nothing answers, is about something else. Source: `eval`."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a reply is made with."""

    messages: Messages
    embedder: Embedder
    retriever: Retriever
    evidence: Evidence
    model: LanguageModel | None = None


class Reply:
    """Answers one question; used once."""

    def __init__(self, tools: Tools, study: Study, audience: Audience) -> None:
        self._tools = tools
        self._say = tools.messages.say
        self._study = study
        self._audience: Audience = audience
        self._delivery = Delivery(study, audience, tools.messages)
        self._judging = Judging(tools.retriever, tools.evidence, study)

    def answer(
        self, question: str, vector: Vectors, history: Sequence[Turn], triaged: Triaged
    ) -> Iterator[Statement | Answer]:
        """Yield the statements as they are verified, then the answer.

        Args:
            vector: The question's embedding, shape `(d,)`.
        """
        self._speak(question)
        if triaged.kind != "advice" and (record := bibliography.drafts(gist(question), self._study)):
            yield from self._delivery.finish(record, "answered", 1.0)
            return
        understood = gist(self._understood(question, history))
        if understood != question:
            vector = self._tools.embedder.encode([understood])[0]
        if triaged.kind == "advice":
            yield from self._advise(self._judging.judge(understood, vector))
        elif agreement.asks_about_agreement(understood, self._study):
            yield self._compare()
        elif asks_for_all(understood) and (told := overall(self._study, self._audience)):
            yield from self._delivery.finish(told, "answered", FIGURED)
        else:
            yield from self._answer_in_figures_or_words(understood, vector, triaged)

    def _answer_in_figures_or_words(
        self, question: str, vector: Vectors, triaged: Triaged
    ) -> Iterator[Statement | Answer]:
        """Yield the figures that a question asks for where they are all it asks for, else what the evidence allows."""
        figures, rest = by_part(question, self._study, self._audience, self._tools.messages)
        absent = unreported(question, self._study) or unknown_cut_off(question, self._study)
        if figures.complete:
            lead, closing = self._premise(question, figures), self._lacks(absent)
            yield from self._delivery.finish(figures.drafts, "answered", FIGURED, lead, closing, figures.findings)
            return
        judged = self._judging.judge(question, vector)
        if judged.judgement.answered < SURE_WITHOUT_NAME:
            absent = absent or missing_name(question, self._study)
        surely = triaged.probabilities["off_topic"] >= SURELY_OFF_TOPIC
        bar = OFF_TOPIC if triaged.kind == "off_topic" and surely else self._tools.evidence.threshold
        tells = judged.judgement.answered >= bar
        if not (figures or absent) and (not tells or miscounted(question, self._study)):
            figures = corrected(question, self._study, self._audience, self._tools.messages)
        if rest:
            found = self._judging.by_part(judged, rest)
            lacking = next(filter(None, (missing_terms(part, self._study) for part in rest)), "")
            told = bool(found.answered) or tells
            yield from self._answer(found.answered or judged, figures, absent or found.missing or lacking, told=told)
        elif not figures and tells and not absent and (pieces := parts.questions(question)):
            yield from self._answer_parts(judged, self._judging.by_part(judged, pieces))
        elif figures or (tells and not absent):
            yield from self._answer(judged, figures, absent, told=tells)
        else:
            yield from self._fall_back(judged, triaged, absent, surely)

    def _answer_parts(self, judged: Judged, found: Parts) -> Iterator[Statement | Answer]:
        """Yield what answers the parts of a question that something answers as a whole."""
        if found.answered:
            yield from self._answer(found.answered, Figured(), found.missing, told=True, unanswered=found.unanswered)
        elif found.unanswered:
            yield from self._refuse(judged)
        else:
            yield from self._answer(judged, Figured(), "", told=True)

    def _fall_back(
        self, judged: Judged, triaged: Triaged, absent: str, surely_off_topic: bool
    ) -> Iterator[Statement | Answer]:
        """Yield what is said of a question that nothing answers as a whole: off topic, a part of it, or a refusal."""
        far = not judged.hits or judged.hits[0].score < FAR_OFF
        if (triaged.kind == "off_topic" and (surely_off_topic or far)) or (far and triaged.kind == "chat"):
            yield self._off_topic(judged)
            return
        found = self._judging.by_part(judged, parts.split(judged.question))
        if found.answered:
            yield from self._answer(found.answered, Figured(), absent or found.missing, told=True)
        else:
            yield from self._refuse(judged, absent)

    def _speak(self, question: str) -> None:
        """Set what language the reply is in, and what it says first where that isn't the question's."""
        asked = language_of(question)
        if self._tools.model and asked in CHECKED:
            self._delivery.language = asked
        if asked != "en":
            self._delivery.foreword = self._tools.messages.notice(asked)

    def _understood(self, question: str, history: Sequence[Turn]) -> str:
        """Return the question as it stands alone: as a model puts it where there is one that may, else as rules do."""
        model, asked = self._tools.model, language_of(question)
        if model and (history or asked != "en"):
            known = {*names(self._study.sentences), *terms(self._study.title)}
            try:
                return model.rewrite(question, history, asked, known)
            except ModelError:
                model.counts.add("rewritten.built_in")
        return rewrite.standalone(question, history, self._study)

    def _written(self, judged: Judged, figures: Sequence[Draft], composed: Sequence[Draft]) -> Iterator[Draft]:
        """Yield a model's statements that hold, and of those composed what they lack; without a model, all composed.

        Args:
            figures: Drafts with the figures that were asked for; they stand among the composed ones.
            composed: What is said without a model.
        """
        shown: list[Draft] = []
        events: list[str] = []
        if (model := self._tools.model) and composed:
            counts = model.counts

            def count(event: str) -> None:
                events.append(event)
                counts.add(event)

            support = Support(self._study, self._tools.evidence)
            sentences = [candidate.sentence for candidate in judged.candidates]
            try:
                drafts = model.drafts(judged.question, sentences, self._audience, self._delivery.language, count)
                for draft in support.holding(drafts, count):
                    shown.append(draft)
                    yield draft
            except ModelError:
                counts.add("answered.built_in")
        idle = {"dropped.repeats", "dropped.too_many"}
        dropped = any(event.startswith("dropped") and event not in idle for event in events)
        said = {number.value for draft in shown for number in numbers(draft.text)}
        cited = {sentence for draft in shown for sentence in draft.cites}
        for draft in composed:
            figured = {number.value for number in numbers(draft.text)}
            lacks_figure = draft in figures and not (figured <= said if figured else cited & set(draft.cites))
            if not shown or lacks_figure or (dropped and not cited & set(draft.cites)):
                yield draft

    def _compose(self, judged: Judged, floor: float = 0.5) -> list[Draft]:
        named = sources_named(judged.question, self._study)
        return extractive.compose(
            judged.question,
            judged.candidates,
            self._study,
            self._audience,
            floor=floor,
            idf=self._tools.retriever.idf,
            prefer=named,
            published=self._say("sources.published", self._audience),
        )

    def _answer(
        self, judged: Judged, figures: Figured, missing: str, *, told: bool, unanswered: Sequence[str] = ()
    ) -> Iterator[Statement | Answer]:
        """Yield the answer made of figures and, where the sources tell what was asked, of their sentences.

        Args:
            unanswered: Parts of the question that the answer leaves open.
        """
        composed = self._compose(judged) if told else []
        confidence = max(judged.judgement.answered, FIGURED if figures else 0.0)
        lacking = [self._lacks(missing)] if missing else [self._open(part) for part in unanswered]
        closing = " ".join(filter(None, [*lacking, self._unsure(confidence)]))
        yield from self._delivery.finish(
            self._written(judged, figures.drafts, extractive.joined(figures.drafts, composed)),
            "answered",
            confidence,
            self._premise(judged.question, figures),
            closing,
            figures.findings,
        )

    def _lacks(self, missing: str) -> str:
        return self._say("refusal.also_missing", self._audience, missing=missing) if missing else ""

    def _open(self, part: str) -> str:
        return self._say("refusal.part", self._audience, part=part)

    def _unsure(self, confidence: float) -> str:
        """Return the confidence in words where it is not high."""
        if confidence >= SURE:
            return ""
        return self._say("confidence.medium" if confidence >= HALF_SURE else "confidence.low", self._audience)

    def _premise(self, question: str, figures: Figured) -> str:
        denied = figures.corrects or contradicts(question, self._study) or miscounted(question, self._study)
        return self._say("premise", self._audience) if denied else ""

    def _compare(self) -> Answer:
        told = notices.agreement(self._study, self._audience, self._tools.messages)
        text = self._delivery.foreworded(told.text)
        return Answer(text, "answered", told.citations, told.conflicts, (), suggestions(self._study), 1.0)

    def _off_topic(self, judged: Judged) -> Answer:
        text = self._delivery.foreworded(self._say("off_topic", self._audience))
        return Answer(text, "off_topic", follow_ups=suggestions(self._study), confidence=1 - judged.judgement.answered)

    def _refuse(self, judged: Judged, absent: str = "") -> Iterator[Statement | Answer]:
        missing = absent or missing_terms(asking(judged.question), self._study)
        lead = (
            self._say("refusal.lead", self._audience, missing=missing)
            if missing
            else self._say("refusal.unnamed", self._audience)
        )
        nearest = self._compose(judged, floor=0.0)[:1]
        if nearest:
            likely = not missing and judged.judgement.answered >= PERHAPS
            lead = f"{lead}\n\n{self._say('refusal.perhaps' if likely else 'refusal.nearest', self._audience)}"
        sure = max(FIGURED if absent else 0.0, 1 - judged.judgement.answered)
        yield from self._delivery.finish(nearest, "not_in_study", sure, lead)

    def _advise(self, judged: Judged) -> Iterator[Statement | Answer]:
        lead = self._say("advice.lead", self._audience)
        near = [c for c in judged.candidates if c.probability >= 0.2]
        drafts = extractive.compose(
            judged.question, near, self._study, self._audience, floor=0.2, idf=self._tools.retriever.idf
        )[:2]
        key = "advice.context" if drafts else "advice.nothing"
        yield from self._delivery.finish(drafts, "medical_advice", 1.0, f"{lead}\n\n{self._say(key, self._audience)}")
