"""Questions and an assistant → which replies are right, and why the others are not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from assistant.corpus import Corpus
from assistant.errors import QuestionError
from assistant.evaluation.metrics import calibration_error, diagram, mean, reliability
from assistant.evaluation.question_file import Question
from assistant.evaluation.report import Report, Table
from assistant.evaluation.setup import shown
from assistant.records import Answer, Citation, Statement

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

REFUSALS = ("not_in_study", "off_topic")
"""Outcomes that give no answer because the study has none."""
_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is right and wrong about one reply.

    Attributes:
        got: The reply's outcome, "" where the question was not taken.
        missing: Fact groups that the reply lacks.
        unverified: What is wrong with citations, in words.
        first: Seconds to the first verified statement, None where the reply has none.
        seconds: Seconds to the whole reply.
    """

    question: Question
    answer: Answer | None
    missing: tuple[tuple[str, ...], ...] = ()
    cited: bool = True
    unverified: tuple[str, ...] = ()
    refusal: str = ""
    first: float | None = None
    seconds: float = 0.0

    @property
    def got(self) -> str:
        """The reply's outcome, or "" where the question was not taken."""
        return self.answer.outcome if self.answer else ""

    @property
    def outcome_right(self) -> bool:
        """Whether the reply's outcome is the one expected."""
        return self.got == self.question.outcome

    @property
    def right(self) -> bool:
        """Whether outcome, facts, place and citations all hold."""
        return self.outcome_right and not self.missing and self.cited and not self.unverified

    @property
    def why(self) -> list[str]:
        """What is wrong, in words; nothing where the reply is right."""
        reasons = [self.refusal] if self.refusal else []
        if not self.outcome_right and self.answer:
            reasons.append(f"outcome {self.got}, expected {self.question.outcome}")
        if self.outcome_right:
            reasons += [f"says none of {', '.join(map(repr, group))}" for group in self.missing]
            if not self.cited:
                reasons.append(f"cites none of {', '.join(self.question.sections)}")
        return reasons + list(self.unverified)


def judge(question: Question, answer: Answer, corpus: Corpus) -> Verdict:
    """Return the verdict on a reply; an empty list of facts or sections demands nothing."""
    said = folded(_MARKER.sub(" ", answer.text))
    missing = tuple(group for group in question.facts if not any(stands(fact, said) for fact in group))
    cited = not question.sections or any(covers(place, c) for place in question.sections for c in answer.citations)
    return Verdict(question, answer, missing, cited, tuple(faults(answer, corpus)))


def folded(text: str) -> str:
    """Return a text as facts are looked for in it: lower case, straight quotes and dashes, no emphasis."""
    for pattern, plain in ((r"[‘’]", "'"), (r"[“”]", '"'), (r"[‐‑‒–—−]", "-"), (r"\*\*", ""), (r"\s+", " ")):
        text = re.sub(pattern, plain, text)
    return text.casefold()


def stands(fact: str, said: str) -> bool:
    """Return whether a fact stands in a folded text; a number only as a whole one.

    >>> stands("34", "348 pmol/l, b34 and 3.34"), stands("0.001", "(p<0.001)."), stands("Lower", "was lower.")
    (False, True, True)
    """
    wanted = folded(fact).strip()
    before = r"(?<!\w)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    after = r"(?!\d)(?![.,]\d)" if wanted[-1:].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, said) is not None


def covers(place: str, citation: Citation) -> bool:
    """Return whether a citation stands in a place: "source:Section", "source:*", or "study:record"."""
    source, _, section = place.partition(":")
    return citation.source == source and (section in ("*", citation.section) or source == "study")


def faults(answer: Answer, corpus: Corpus) -> list[str]:
    """Return what is wrong with a reply's citations: each must stand in its source, to the character, and be marked."""
    citations = [*answer.citations, *(c for d in answer.conflicts for c in (d.page_citation, d.published_citation))]
    found = []
    for citation in citations:
        try:
            text = corpus.study(citation.pmid).source(citation.source).text
        except KeyError:
            found.append(f"[{citation.number}] names {citation.source} of {citation.pmid}, which is not in the corpus")
            continue
        if not citation.quote or text[citation.start : citation.end] != citation.quote:
            found.append(f"[{citation.number}] quotes {citation.quote[:40]!r}, which does not stand at its offsets")
    known = {citation.number for citation in answer.citations}
    loose = sorted({int(number) for number in _MARKER.findall(answer.text)} - known)
    found += [f"the marker [{number}] has no citation" for number in loose]
    if answer.outcome == "answered" and not answer.citations:
        found.append("answers without a citation")
    return found


def score(questions: Sequence[Question], assistant: Assistant) -> Report:
    """Return the report of an assistant on questions."""
    return report([_asked(question, assistant) for question in shown(questions, "asking")])


def _asked(question: Question, assistant: Assistant) -> Verdict:
    """Return the verdict on the reply to a question, with the time that it took."""
    began, first = time.perf_counter(), None
    try:
        for item in assistant.stream(question.question, audience=question.audience, history=question.history):
            if first is None and isinstance(item, Statement):
                first = time.perf_counter() - began
    except QuestionError as exc:
        return Verdict(question, None, refusal=f"not taken: {exc}")
    seconds = time.perf_counter() - began
    assert isinstance(item, Answer)
    return replace(judge(question, item, assistant.corpus), first=first, seconds=seconds)


def report(verdicts: Sequence[Verdict]) -> Report:
    """Return the tables over verdicts."""
    right = sum(v.right for v in verdicts)
    replies = [v for v in verdicts if v.answer]
    citations = [c for v in replies if v.answer for c in v.answer.citations]
    confidences = [v.answer.confidence for v in replies if v.answer]
    bars = reliability(confidences, [v.right for v in replies])
    overall: dict[str, float] = {
        "right": right / len(verdicts),
        "outcome_right": mean([v.outcome_right for v in verdicts]),
        "replies_with_unverified_citations": sum(bool(v.unverified) for v in verdicts),
        **refusals(verdicts),
        **times(verdicts),
        "calibration_error": calibration_error(bars),
        "calibration_error_of_the_outcome": calibration_error(
            reliability(confidences, [v.outcome_right for v in replies])
        ),
    }
    groups = {
        "outcomes": _grouped(verdicts, lambda v: v.question.outcome),
        "kinds": _grouped(verdicts, lambda v: v.question.kind or "–"),
        "audiences": _grouped(verdicts, lambda v: v.question.audience),
    }
    rows = tuple((name.replace("_", " "), value) for name, value in overall.items())
    tables = [
        Table("overall", ("figure", "value"), rows),
        *(_table(f"by {name[:-1]}", group) for name, group in groups.items()),
        diagram("reliability", bars, "replies", "right"),
    ]
    figures = {"questions": len(verdicts), "citations": len(citations), **overall, **groups}
    failures = [_failure(v) for v in verdicts if not v.right]
    about = f"{right} of {len(verdicts)} right, {len(citations)} citations checked"
    return Report("questions", about, figures, tables, failures)


def refusals(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Return how refusing went; shares in [0, 1].

    `refused` is recall over questions that the study doesn't answer, `lost` the share of answered ones refused,
    `precision` the share of refusals that were due.
    """
    absent = [v for v in verdicts if v.question.outcome == "not_in_study"]
    present = [v for v in verdicts if v.question.outcome == "answered"]
    due = [v.question.outcome in REFUSALS for v in verdicts if v.got in REFUSALS]
    return {
        "unanswerable_refused": mean([v.got in REFUSALS for v in absent]),
        "answerable_lost": mean([v.got in REFUSALS for v in present]),
        "refusal_precision": mean(due),
    }


def times(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Return the median seconds to the first verified statement, where there is one, and to the whole reply."""
    first = [v.first for v in verdicts if v.first is not None]
    return {
        "seconds_to_first_statement": median(first) if first else float("nan"),
        "seconds_to_answer": median(v.seconds for v in verdicts),
    }


def _grouped(verdicts: Sequence[Verdict], key: Callable[[Verdict], str]) -> dict[str, dict[str, float]]:
    """Return count and shares by group, in order of first use; facts and sections of those that ask for any."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(key(verdict), []).append(verdict)
    return {
        name: {
            "questions": len(group),
            "right": mean([v.right for v in group]),
            "outcome_right": mean([v.outcome_right for v in group]),
            "facts_found": mean([not v.missing for v in group if v.question.facts]),
            "section_cited": mean([v.cited for v in group if v.question.sections]),
        }
        for name, group in groups.items()
    }


def _table(title: str, groups: Mapping[str, Mapping[str, float]]) -> Table:
    header = ("", "questions", "right", "outcome", "facts", "section")
    return Table(title, header, tuple((name, *values.values()) for name, values in groups.items()))


def _failure(verdict: Verdict) -> dict[str, Any]:
    question, answer = verdict.question, verdict.answer
    return {
        "id": question.id,
        "question": question.question,
        "kind": question.kind,
        "why": verdict.why,
        "confidence": answer.confidence if answer else None,
        "reply": " ".join(answer.text.split())[:400] if answer else "",
    }
