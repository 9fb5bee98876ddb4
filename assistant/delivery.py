"""Drafts → verified statements, then the answer: what disagrees beside it, its figures, and what to ask next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assistant import conflicts, notices
from assistant.compose import Draft
from assistant.compose.refusal import suggestions
from assistant.messages import Messages
from assistant.numerals import numbers
from assistant.records import Answer, Audience, Citation, Finding, Outcome, Statement, Study
from assistant.standing import decimal
from assistant.verify import Verifier


class Delivery:
    """Delivers one answer about one study; used once.

    Attributes:
        language: What the statements are meant to be in.
        foreword: What is said first where the reply isn't in the question's language, or "".
    """

    def __init__(self, study: Study, audience: Audience, messages: Messages) -> None:
        self._study = study
        self._audience: Audience = audience
        self._messages = messages
        self._verifier = Verifier(study)
        self.language = "en"
        self.foreword = ""

    def finish(
        self,
        drafts: Iterable[Draft],
        outcome: Outcome,
        confidence: float,
        lead: str = "",
        closing: str = "",
        findings: Sequence[Finding] = (),
    ) -> Iterator[Statement | Answer]:
        """Yield the drafts that are verified as statements, then the answer.

        Args:
            outcome: What it is, unless it was to answer and no draft held.
            lead: Said before the statements.
            closing: Said after them.
            findings: Whose figures are said, () where the statements tell.
        """
        said = []
        languages: list[str] = []
        for statement in self._verifier.statements(_noting(drafts, languages)):
            said.append(statement)
            yield statement
        if outcome == "answered" and not said:
            text = self.foreworded(self._messages.say("refusal.unnamed", self._audience))
            yield Answer(text, "not_in_study", follow_ups=suggestions(self._study), confidence=1 - confidence)
            return
        if said and self.language != "en" and set(languages) == {self.language}:
            self.foreword = ""
        spoken = " ".join(statement.text for statement in said)
        cited = self._verifier.citations
        disagreeing = (
            conflicts.touching(self._study, conflicts.find(self._study), cited=cited, used=findings, text=spoken)
            if outcome == "answered"
            else ()
        )
        ordered = sorted(disagreeing, key=lambda d: not any(finding in findings for finding in d.findings))
        notice = notices.notice(self._study, ordered, self._audience, self._messages, taken=cited)
        text = "\n\n".join(filter(None, [self.foreword, lead, spoken, closing, notice.text if notice else ""]))
        yield Answer(
            text,
            outcome,
            (*cited, *notice.citations) if notice else cited,
            notice.conflicts if notice else (),
            tuple(findings) or _shown(self._study, cited, spoken),
            suggestions(self._study),
            confidence,
        )

    def foreworded(self, text: str) -> str:
        """Return a text after the foreword."""
        return f"{self.foreword}\n\n{text}" if self.foreword else text


def _noting(drafts: Iterable[Draft], languages: list[str]) -> Iterator[Draft]:
    """Yield drafts, and note what each is written in."""
    for draft in drafts:
        languages.append(draft.language)
        yield draft


def _shown(study: Study, cited: Sequence[Citation], text: str) -> tuple[Finding, ...]:
    """Return the findings whose figure a reply shows and cites, for its table and chart."""
    figures = {number.value for number in numbers(text)}
    quoted = {(c.source, number.value) for c in cited for number in numbers(c.quote)}
    found = []
    for finding in study.findings:
        if finding.value is not None and finding.unit:
            value = decimal(finding.value)
            if value in figures and (finding.source, value) in quoted:
                found.append(finding)
    return tuple(found)
