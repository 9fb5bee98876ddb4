"""Findings → one short sentence for an audience, with the sentences of the source that hold every figure in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.comparing import correlated
from assistant.messages import Messages
from assistant.numerals import unsupported
from assistant.records import Audience, Finding, Sentence, Study
from assistant.standing import evidence, interval_level, written
from assistant.vocabulary import WHO, kind

_BLOOD = re.compile(r"\b(?:serum|plasma|blood)\b", re.I)


@dataclass(frozen=True, slots=True)
class Figures:
    """A sentence about findings of one source.

    Attributes:
        text: The sentence, without markers.
        evidence: Sentences of the source that hold its figures, in the source's order.
        computed: Figures in the text that are worked out, and stand in no source; () for a plain sentence.
    """

    text: str
    findings: tuple[Finding, ...]
    evidence: tuple[Sentence, ...]
    computed: tuple[str, ...] = ()


def sentence(study: Study, findings: Sequence[Finding], audience: Audience, messages: Messages) -> Figures | None:
    """Return the figures in words, or None where a figure can't be shown to stand in the source.

    Args:
        study: The study that they are of.
        findings: Of one source; those of one measure in one `who` are told together.
        audience: Whom to tell: a clinician gets n, statistic, interval and p too.
        messages: Texts; the section used is `figures`.

    Raises:
        ValueError: The findings come from several sources, which no sentence may mix.
    """
    if len({(f.pmid, f.source) for f in findings}) > 1:
        raise ValueError(
            f"findings of {sorted({(f.pmid, f.source) for f in findings})}: expected one source a sentence"
        )
    parts: list[str] = []
    cited: list[Sentence] = []
    for group in _groups(findings):
        held = [evidence(study, f, with_n=audience == "clinician") for f in group]
        if not all(held):
            return None
        cited += [s for spans in held for s in spans]
        write = _for_clinicians if audience == "clinician" else _for_parents
        parts.append(write(study, group, held, messages))
    text = " ".join(parts)
    spans = tuple(sorted(dict.fromkeys(cited), key=lambda s: s.start))
    if not parts or unsupported(text, " ".join(s.text for s in spans)):
        return None
    return Figures(text, tuple(findings), spans)


def figure(finding: Finding, held: Sequence[Sentence], *, unit: bool = True) -> str:
    """Return a finding's figure as its source writes it, "348 pmol/L", or its words where it has no number."""
    if finding.value is None:
        return finding.statistic
    value = written(finding.value, held)
    if not unit or not finding.unit or kind(finding) == "count":
        return value
    return f"{value}%" if finding.unit == "%" else f"{value} {finding.unit}"


def details(finding: Finding, held: Sequence[Sentence], *, statistic: bool = True, p: bool = True) -> str:
    """Return the statistic, interval, n and p of a finding that stand in these sentences, "" where none does.

    >>> from assistant.records import Finding
    >>> details(Finding("1", "iron", "mother", "Peru", None, "median", 3, None, None, "g", "<0.05", "summary", ""), ())
    'median; p<0.05'
    """
    found = []
    if statistic and finding.statistic and kind(finding) == "level":
        found.append(finding.statistic)
    if finding.low is not None and finding.high is not None:
        found.append(f"{interval_level(held)} {written(finding.low, held)}–{written(finding.high, held)}")
    if finding.n is not None and kind(finding) != "count" and not unsupported(str(finding.n), _text(held)):
        found.append(f"n={finding.n}")
    if p and finding.p:
        found.append(p_value(finding))
    return "; ".join(found)


def p_value(finding: Finding) -> str:
    """Return a p-value with its sign: "p<0.001", "p=0.27"."""
    return f"p{finding.p}" if finding.p[:1] in "<>=≤≥" else f"p={finding.p}"


def subject(finding: Finding, held: Sequence[Sentence], messages: Messages, audience: Audience = "parent") -> str:
    """Return what was measured in whom: "babies' blood vitamin B12"; blood is said where the source says so."""
    who = _who("whose", finding.who, audience, messages)
    if kind(finding) in {"correlation", "count"}:
        return finding.measure
    if kind(finding) == "percent" or kind(finding) == "state":
        return f"{finding.measure}, {_who('plural', finding.who, audience, messages)}"
    blood = "blood " if finding.who != "milk" and audience == "parent" and _BLOOD.search(_text(held)) else ""
    return f"{who}{blood}{finding.measure}"


def place(cohort: str, study: Study, messages: Messages) -> str:
    """Return where a cohort is ("in Canada"), or that it is a group ("in the low dose group")."""
    is_place = any(
        re.search(rf"(?:\b[Ii]n|,) {re.escape(cohort)}\b(?! (?:group|arm)\b)", source.text) for source in study.sources
    )
    if is_place:
        return messages.say("figures.in_place", cohort=cohort)
    return messages.say("figures.in_group", cohort=cohort.lower())


def _groups(findings: Sequence[Finding]) -> Iterable[list[Finding]]:
    """Yield the findings of one measure, who and statistic together, in order of first appearance."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        state = "" if finding.value is None else finding.statistic
        groups.setdefault((finding.measure, finding.who, state, finding.unit), []).append(finding)
    return groups.values()


def _for_parents(study: Study, group: list[Finding], held: list[tuple[Sentence, ...]], messages: Messages) -> str:
    """Return such as "In Canada, breast milk vitamin B12 was 347 pmol/L; in Cambodia it was 148 pmol/L."."""
    about = subject(group[0], held[0], messages)
    said = [
        (place(f.cohort, study, messages) if f.cohort else "", figure(f, h)) for f, h in zip(group, held, strict=True)
    ]
    if kind(group[0]) == "correlation":
        said = [(where, link(f, value, messages)) for f, (where, value) in zip(group, said, strict=True)]
    if kind(group[0]) != "level" or not all(where for where, _ in said):
        return _capital(f"{about}: {listed(said)}.")
    first, *others = said
    text = messages.say("figures.first", where=first[0], subject=about, value=first[1])
    text += "".join(messages.say("figures.further", where=where, value=value) for where, value in others)
    return _capital(text + ".")


def listed(said: Iterable[tuple[str, str]], between: str = "; ") -> str:
    """Return (where, value) pairs as a list, places with the same value together.

    >>> listed([("in Canada", "linked"), ("in Cambodia", "linked"), ("in Peru", "not linked")])
    'linked in Canada and in Cambodia; not linked in Peru'
    """
    places: dict[str, list[str]] = {}
    for where, value in said:
        places.setdefault(value, []).append(where)
    return between.join(f"{value} {' and '.join(filter(None, where))}".strip() for value, where in places.items())


def link(finding: Finding, value: str, messages: Messages) -> str:
    """Return a correlation in plain words, with its r where it has one."""
    found = correlated(finding)
    if found is None:
        return value
    r = f" ({finding.statistic} = {value})" if finding.value is not None else ""
    return messages.say("figures.linked" if found else "figures.not_linked", r=r)


def _for_clinicians(study: Study, group: list[Finding], held: list[tuple[Sentence, ...]], messages: Messages) -> str:
    """Return such as "Infant vitamin B12, Canada: 291 pmol/L (n=40), Cambodia: 145 pmol/L (n=67); p<0.001."."""
    statistic = group[0].statistic if kind(group[0]) == "level" else ""
    about = subject(group[0], held[0], messages, "clinician") + (f" ({statistic})" if statistic else "")
    shared = len({f.p for f in group}) == 1 and len(group) > 1
    values = []
    for f, h in zip(group, held, strict=True):
        more = details(f, h, statistic=False, p=not shared)
        sign = "r=" if f.statistic == "r" else ""
        name = f"{f.cohort}: " if f.cohort else ""
        values.append(f"{name}{sign}{figure(f, h)}{f' ({more})' if more else ''}")
    p = f"; {p_value(group[0])}" if shared and group[0].p else ""
    return _capital(f"{about}, {', '.join(values)}{p}.")


def _who(form: str, who: str, audience: Audience, messages: Messages) -> str:
    """Return an everyday word for a `who`, made from its own name where there is none."""
    return messages.say(f"figures.{form}.{who if who in WHO else 'other'}", audience, who=who)


def _text(held: Sequence[Sentence]) -> str:
    return " ".join(s.text for s in held)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
