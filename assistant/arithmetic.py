"""Differences, ratios, percentages and cut-offs: worked out from the findings of one source, and said to be so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from assistant.comparing import conversion
from assistant.figures import matching
from assistant.messages import Messages
from assistant.phrasing import Figures, figure, place, subject
from assistant.records import Audience, Finding, Sentence, Study
from assistant.standing import decimal, evidence, interval_level, written
from assistant.vocabulary import kind

Kind = Literal["ratio", "difference", "percent", "cut_off", "complement"]

_MORE = r"(?:high|low|great|larg|bigg|small|strong|weak)\w*|more|less|fewer"
_RATIO = re.compile(
    rf"\b(?:how )?many times (?:{_MORE}|as (?:much|high|many|great|low))(?: than)?\b|\bhow many times\b"
    r"|\b(?:by )?what factor\b|\b\w*-?fold\b|\bratios?\b",
    re.I,
)
_PERCENT = re.compile(
    rf"\b(?:what|how many|by what|which) per ?cent(?:age)?(?: (?:{_MORE}))?\b(?=.*\b(?:{_MORE})\b|.*\bdiffer)"
    rf"|\b(?:what|how many|which) per ?cent(?:age)?s? (?:{_MORE})\b"
    r"|\bper ?cent(?:age)? (?:change|differences?|increase|decrease)\b|\bdiffer\w* in per ?cent\b",
    re.I,
)
_DIFFERENCE = re.compile(
    rf"\bhow many (?:more|fewer|less)\b|\bhow (?:much|big|large|great) (?:{_MORE})\b"
    r"|\bhow (?:big|large|great|much) (?:of a |a |is the |was the )?differences?\b|\bby how much\b|\bhow far apart\b"
    r"|\b(?:what|which)(?:'s|’s| is| was| were)?(?: the)? (?:absolute |exact )?(?:difference|gap)\b"
    r"|\b(?:calculate|compute|work out|give me)(?: me)? the (?:difference|gap)\b",
    re.I,
)
_CUT_OFF = re.compile(
    r"\b(?:above|over|below|under|(?:more|less|higher|lower|greater) than|exceed(?:s|ed|ing)?|at least|at most|past)\b"
    r"(?: the)?(?: cut[- ]?off| threshold| limit| line)?(?: of| for sufficiency of)?\s+(?P<value>\d+(?:[.,]\d+)?)"
    r"\s*(?P<unit>[pnµμmkdu]?(?:mol|g|IU)/[a-zµμ]+\d?|%|hours?|weeks?|pairs?)?",
    re.I,
)
_SHORT_OF = re.compile(
    r"\b(?:below|under|beneath|short of|(?:less|lower) than|not (?:above|over|past))(?: the)?"
    r"(?: (?:cut[- ]?off|threshold|limit)(?: of)?)?"
    r"(?:\s+(?P<value>\d+(?:[.,]\d+)?)\s*(?:[pnµμmkdu]?(?:mol|g|IU)/[a-zµμ]+)?)?"
    r"|\b(?:too )?low\b|\binsufficien\w+|\binadequa\w+"
    r"|(?:\bnot|n[’']t)(?: (?:have|had|get|got|be|reach\w*))?(?: (?:enough|sufficient|adequate))"
    r"|\bwithout enough\b|\btoo little\b",
    re.I,
)
_OF_HOW_MANY = re.compile(
    r"\bhow many\b|\b(?:number|count|frequency) of\b|\bprevalence(?: of)?\b|%|\bper ?cent(?:age)?\b"
    r"|\b(?:proportion|share|fraction|rate)\b|\b(?:any|some)\b",
    re.I,
)
_REACHED = re.compile(r"\([>≥] ?(\d+(?:\.\d+)?)[^)]*\)")
"""The cut-off in the name of a share that reaches it: "B12-sufficient (> 221 pmol/L)"."""
_ROUND_TO = 2


@dataclass(frozen=True, slots=True)
class Operation:
    """What a question wants worked out, and what is left of it: a question for the figures themselves."""

    kind: Kind
    rest: str
    threshold: Decimal | None = None
    unit: str = ""


def recognise(question: str) -> Operation | None:
    """Return what a question wants worked out, or None where it asks for no arithmetic.

    >>> recognise("How many times higher was B12 in Canadian mothers?").kind
    'ratio'
    >>> recognise("Was the milk B12 in Cambodia above 221 pmol/L?").threshold
    Decimal('221')
    >>> recognise("How much higher should my B12 be?")
    """
    if re.search(r"\b(?:should|my|need|ought|must|i)\b", question, re.I):
        return None
    short = _SHORT_OF.search(question)
    if short and _OF_HOW_MANY.search(question) and not (_RATIO.search(question) or _DIFFERENCE.search(question)):
        rest = _OF_HOW_MANY.sub(" ", f"{question[: short.start()]} sufficient {question[short.end() :]}")
        return Operation("complement", f"What percent {rest}", _value(short))
    cut = _CUT_OFF.search(question)
    if cut and re.search(r"^\W*(?:and |so |but )?(?:is|are|was|were|did|do|does)\b", question, re.I):
        return Operation("cut_off", _rest(question, cut), _value(cut), cut["unit"] or "")
    for name, cue in (("ratio", _RATIO), ("percent", _PERCENT), ("difference", _DIFFERENCE)):
        found = cue.search(question)
        if found:
            return Operation(name, _rest(question, found))  # type: ignore[arg-type]
    return None


def _value(found: re.Match[str]) -> Decimal | None:
    return Decimal(found["value"].replace(",", "")) if found["value"] else None


def _rest(question: str, found: re.Match[str]) -> str:
    """Return the question without the arithmetic, as one for the level, or the number, of what it names."""
    counting = re.match(r"how many (?:more|fewer|less)", found[0], re.I)
    opening = "How many" if counting else "What was the level"
    return f"{opening} {question[: found.start()]} {question[found.end() :]}"


def operands(operation: Operation, study: Study) -> tuple[Finding, ...]:
    """Return the findings that a question wants something worked out from, () where it asks for none of the study's.

    A comparison that names one cohort ("how many times higher was it in Canada") is with the others.
    """
    asked = matching(operation.rest, study)
    if operation.kind == "complement":
        return tuple(f for f in asked.findings if _complements(operation, f))
    if operation.kind == "cut_off" or len(asked.cohorts) != 1 or _pairs(_of_one_source(asked.findings)):
        return asked.findings
    about = {(f.measure, f.who, f.source, f.statistic) for f in asked.findings}
    return tuple(f for f in study.findings if (f.measure, f.who, f.source, f.statistic) in about)


def _complements(operation: Operation, finding: Finding) -> bool:
    """Return whether a finding is the share that reaches a cut-off, and the one asked for where that is named."""
    reached = _REACHED.search(finding.measure)
    return reached is not None and kind(finding) == "percent" and operation.threshold in (None, Decimal(reached[1]))


def _of_one_source(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of the first one's source."""
    return [f for f in findings if (f.pmid, f.source) == (findings[0].pmid, findings[0].source)]


def work_out(
    operation: Operation, study: Study, findings: Sequence[Finding], audience: Audience, messages: Messages
) -> Figures | None:
    """Return the result in words, with both figures and where they stand, or None where it can't be worked out.

    Args:
        operation: As `recognise` gives it.
        study: The study that the findings are of.
        findings: What the question (or, for "is that …", the answer before it) is about; of several sources, those of
            the first are used, never two together.
        audience: Whom to tell; the words differ, the figures don't.
        messages: Texts; the sections used are `arithmetic` and `figures`.
    """
    numeric = [f for f in findings if f.value is not None and kind(f) in {"level", "count", "percent"}]
    if not numeric:
        return None
    numeric = _of_one_source(numeric)
    held = {f: evidence(study, f) for f in numeric}
    if not all(held.values()):
        return None
    worker = _Worker(study, held, audience, messages)
    if operation.kind == "cut_off":
        parts = [worker.against(operation, f) for f in numeric]
    elif operation.kind == "complement":
        parts = [worker.complement(f) for f in numeric]
    else:
        pairs = _pairs(numeric)
        parts = [worker.pair(operation.kind, one, other) for one, other in pairs]
        numeric = [f for pair in pairs for f in pair]
    if not parts or not all(parts):
        return None
    closing = "group" if operation.kind == "cut_off" else "computed"
    text = (
        " ".join(f"{part[:1].upper()}{part[1:]}." for part, _ in filter(None, parts))
        + " "
        + messages.say(f"arithmetic.{closing}", audience)
    )
    spans = sorted({s for f in numeric for s in held[f]}, key=lambda s: s.start)
    computed = tuple(dict.fromkeys(result for _, result in filter(None, parts) if result))
    return Figures(text, tuple(numeric), tuple(spans), computed)


def _pairs(findings: Sequence[Finding]) -> list[tuple[Finding, Finding]]:
    """Return what to compare: two cohorts of each measure and who, else two `who` of each cohort; else nothing."""
    for by_who in (True, False):
        groups: dict[tuple[str, ...], list[Finding]] = {}
        for f in findings:
            groups.setdefault((f.measure, f.who if by_who else f.cohort, f.unit), []).append(f)
        if all(len(group) == 2 for group in groups.values()):
            return [(group[0], group[1]) for group in groups.values()]
    return []


@dataclass(frozen=True, slots=True)
class _Worker:
    """Says results about findings of one study."""

    study: Study
    held: dict[Finding, tuple[Sentence, ...]]
    audience: Audience
    messages: Messages

    def pair(self, operation: Kind, one: Finding, other: Finding) -> tuple[str, str] | None:
        """Return two findings compared, in words, and the computed figure; None where it makes no sense."""
        low, high = sorted((one, other), key=lambda f: f.value or 0)
        a, b = self._exact(low), self._exact(high)
        if operation in {"ratio", "percent"} and (a <= 0 or kind(one) == "percent"):
            return None
        key = "equal" if a == b else operation
        result = _figure(operation, a, b)
        if operation == "difference":
            result += "percentage points" if high.unit == "%" else f"{high.unit}"
            result = re.sub(r"(?<=\d)(?=[^\d.])", " ", result, count=1)
        same_cohort = one.cohort == other.cohort
        words = {
            name: value
            for f, side in ((low, "low"), (high, "high"))
            for name, value in (
                (side, figure(f, self.held[f])),
                (f"{side}_where", self._in(f) if same_cohort else self._where(f)),
            )
        }
        about = one.measure if same_cohort else self._subject(one)
        if same_cohort and one.cohort:
            about = f"{about} {self._where(one)}"
        return self.messages.say(f"arithmetic.{key}", subject=about, result=result, **words), "" if a == b else result

    def against(self, operation: Operation, finding: Finding) -> tuple[str, str] | None:
        """Return a finding beside a cut-off, in words; None where the units can't be compared."""
        unit = operation.unit or finding.unit
        factor = conversion(unit, finding.unit)
        if factor is None or operation.threshold is None:
            return None
        cut, value = operation.threshold * factor, decimal(finding.value or 0)
        key = "same" if value == cut else "above" if value > cut else "below"
        threshold = f"{operation.threshold}%" if unit == "%" else f"{operation.threshold} {unit}"
        text = self.messages.say(
            f"arithmetic.{key}",
            subject=self._subject(finding),
            where=self._where(finding),
            value=figure(finding, self.held[finding]),
            threshold=threshold,
        )
        if (
            finding.low is not None
            and finding.high is not None
            and decimal(finding.low) <= cut <= decimal(finding.high)
        ):
            level = interval_level(self.held[finding])
            text += " " + self.messages.say("arithmetic.spans", interval=level, threshold=threshold)
        return text, ""

    def complement(self, finding: Finding) -> tuple[str, str] | None:
        """Return the share that a share leaves, in words, and the computed figure."""
        left = f"{100 - self._exact(finding)}%"
        told = self.messages.say(
            "arithmetic.complement",
            subject=self._subject(finding),
            where=self._where(finding),
            value=figure(finding, self.held[finding]),
            result=left,
        )
        return told, left

    def _exact(self, finding: Finding) -> Decimal:
        """Return a figure with the decimals that its source gives."""
        return Decimal(written(finding.value or 0, self.held[finding]).replace(",", ""))

    def _subject(self, finding: Finding) -> str:
        return subject(finding, self.held[finding], self.messages, self.audience)

    def _where(self, finding: Finding) -> str:
        return place(finding.cohort, self.study, self.messages) if finding.cohort else ""

    def _in(self, finding: Finding) -> str:
        who = finding.who if finding.who in {"mother", "milk", "infant", "dyad"} else "other"
        return self.messages.say(
            "arithmetic.in_who", who=self.messages.say(f"figures.plural.{who}", self.audience, who=finding.who)
        )


def _figure(operation: Kind, low: Decimal, high: Decimal) -> str:
    """Return the computed figure, no more exact than what it is computed from.

    A ratio of figures with three digits or more is given to two digits, since the last digit of each is rounded; a
    difference to the last place of the coarser; a percentage to a whole one.
    """
    if operation == "difference":
        places = min(int(low.as_tuple().exponent), 0), min(int(high.as_tuple().exponent), 0)
        return f"{(high - low).quantize(Decimal(1).scaleb(max(places)), ROUND_HALF_UP)}"
    if operation == "percent":
        return f"{((high - low) / low * 100).quantize(Decimal(1), ROUND_HALF_UP)}"
    ratio = high / low
    step = Decimal(1).scaleb(ratio.adjusted() - _ROUND_TO + 1)
    return f"{ratio.quantize(min(step, Decimal(1)), ROUND_HALF_UP)}"
