"""Disagreements → the records, the notice and the list that a reader sees, both sides cited to the character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.conflicts import PUBLISHED, Disagreement, find, strongest
from assistant.messages import Messages
from assistant.phrasing import details, figure, link, listed, p_value, place, subject
from assistant.records import Audience, Citation, Conflict, Finding, Sentence, Study
from assistant.standing import evidence
from assistant.vocabulary import kind

SHOWN = 2
"""How many disagreements a notice tells in full; groups of one measure in one `who` count once."""
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said about disagreements, with the records and the citations that it takes, in order of number."""

    text: str
    conflicts: tuple[Conflict, ...]
    citations: tuple[Citation, ...]


def notice(
    study: Study,
    disagreements: Sequence[Disagreement],
    audience: Audience,
    messages: Messages,
    taken: Sequence[Citation] = (),
    *,
    whole: bool = False,
) -> Notice | None:
    """Return one notice for however many disagreements, or None where there is none that can be cited.

    Args:
        study: The study that they are of.
        disagreements: What to tell, the most telling first.
        audience: Whom to tell: a clinician gets n, statistic, interval and p too.
        messages: Texts; the sections used are `conflicts` and `figures`.
        taken: Citations that the reply already has: a quote among them keeps its number, new ones count on.
        whole: Whether all are told, as a list, and not only the first few.
    """
    desk = _Desk(study, list(taken))
    entries = [(d, conflict) for d in disagreements if (conflict := _conflict(desk, d, audience, messages))]
    if not entries:
        return None
    groups: dict[tuple[str, ...], list[tuple[Disagreement, Conflict]]] = {}
    for d, conflict in entries:
        groups.setdefault((d.about, d.measure, d.who), []).append((d, conflict))
    items = [_item(desk, group, audience, messages) for group in groups.values()]
    conflicts = tuple(conflict for _, conflict in entries)
    if whole:
        text = "\n".join([messages.say("conflicts.listing", audience), "", *(f"- {item}" for item in items)])
    else:
        text = messages.say("conflicts.notice", audience, items=" ".join(items[:SHOWN]))
        if len(items) > SHOWN:
            text += " " + messages.say("conflicts.more", audience, count=len(items) - SHOWN)
    return Notice(text, conflicts, tuple(desk.citations[len(taken) :]))


def agreement(study: Study, audience: Audience, messages: Messages, taken: Sequence[Citation] = ()) -> Notice:
    """Return whether a study's sources agree: the whole list, or that none differ, or that only one has figures."""
    listed_all = notice(study, find(study), audience, messages, taken, whole=True)
    if listed_all is not None:
        return listed_all
    sided = len({f.source == PUBLISHED for f in study.findings}) == 2
    return Notice(messages.say("conflicts.none" if sided else "conflicts.one_sided", audience), (), ())


class _Desk:
    """Numbers quotes: one that is already cited keeps its number."""

    def __init__(self, study: Study, citations: list[Citation]) -> None:
        self.study = study
        self.citations = citations

    def cite(self, sentences: Sequence[Sentence]) -> Citation | None:
        """Return a citation of the stretch that sentences of one section span, or of the first where that is long."""
        start, end = min(s.start for s in sentences), max(s.end for s in sentences)
        if end - start > _LONGEST:
            start, end = sentences[0].start, sentences[0].end
        source = sentences[0].source
        text = self.study.source(source).text
        for known in self.citations:
            if (known.pmid, known.source, known.start, known.end) == (self.study.pmid, source, start, end):
                return known
        number = max((known.number for known in self.citations), default=0) + 1
        found = Citation(
            number, self.study.pmid, source, sentences[0].section, text[start:end], start, end, self.study.url
        )
        if any(s.text not in found.quote for s in sentences[:1]) or text[found.start : found.end] != found.quote:
            return None
        self.citations.append(found)
        return found


def _conflict(desk: _Desk, d: Disagreement, audience: Audience, messages: Messages) -> Conflict | None:
    """Return the record of a disagreement, or None where a side can't be cited."""
    held = [
        [s for f in side for s in evidence(desk.study, f, with_n=audience == "clinician")]
        for side in (d.page, d.published)
    ]
    if not all(held) or not all(evidence(desk.study, f) for f in d.findings):
        return None
    page, published = desk.cite(_narrow(held[0])), desk.cite(_narrow(held[1]))
    if page is None or published is None:
        return None
    sides = [
        _side(desk.study, d, side, cited, audience, messages)
        for side, cited in ((d.page, page), (d.published, published))
    ]
    return Conflict(
        desk.study.pmid, d.measure, d.who, d.cohort, sides[0], sides[1], _reason(d, audience, messages), page, published
    )


def _narrow(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences without repeats, in order of first use."""
    return list(dict.fromkeys(sentences))


def _side(
    study: Study, d: Disagreement, side: Sequence[Finding], cited: Citation, audience: Audience, messages: Messages
) -> str:
    """Return one side's value in words; every figure in it stands in the citation."""
    quote = (_as_sentence(cited),)
    if d.about == "ranking":
        values = "; ".join(f"{f.cohort} {_value(f, quote, 'clinician', messages)}" for f in side)
        top = strongest(side)
        if top:
            return messages.say("conflicts.ranking_by_r", where=place(top, study, messages), values=values)
        return messages.say("conflicts.ranking_by_p", values=values)
    value = _value(side[0], quote, audience, messages)
    if d.about == "cut_off" and kind(side[0]) == "level":
        return messages.say("conflicts.average", value=value)
    return value


def _value(finding: Finding, quote: Sequence[Sentence], audience: Audience, messages: Messages) -> str:
    """Return a finding in words: "348 pmol/L (median; n=40; p<0.001)", for a parent without what is in brackets."""
    value = figure(finding, quote)
    if kind(finding) == "correlation":
        if audience == "parent":
            return link(finding, value, messages)
        said = value if finding.value is None else f"{finding.statistic}={value}"
        return f"{said}, {p_value(finding)}" if finding.p else said
    more = details(finding, quote) if audience == "clinician" else ""
    return f"{value} ({more})" if more else value


def _item(desk: _Desk, group: Sequence[tuple[Disagreement, Conflict]], audience: Audience, messages: Messages) -> str:
    """Return the disagreements of one measure in one `who` as one item, the reason after it."""
    d, first = group[0]
    sides = []
    for name in ("page", "published"):
        cited: dict[int, list[tuple[str, str]]] = {}
        for each, conflict in group:
            citation: Citation = getattr(conflict, f"{name}_citation")
            where = place(each.cohort, desk.study, messages) if each.cohort and each.about != "ranking" else ""
            cited.setdefault(citation.number, []).append((where, getattr(conflict, name)))
        source = messages.say(f"conflicts.{getattr(first, f'{name}_citation').source}")
        values = ", and ".join(f"{listed(values, ' and ')} [{number}]" for number, values in cited.items())
        sides.append(messages.say("conflicts.side", source=source, values=values))
    about = _about(d, desk, first, audience, messages)
    text = messages.say("conflicts.item", subject=about, page=sides[0], published=sides[1])
    return f"{text[:1].upper()}{text[1:]} {first.reason}"


def _about(d: Disagreement, desk: _Desk, conflict: Conflict, audience: Audience, messages: Messages) -> str:
    """Return what a disagreement is about, in words."""
    if d.about == "ranking":
        return messages.say("conflicts.subject_ranking", measure=d.measure)
    finding = d.published[0] if d.about == "cut_off" else d.page[0]
    citation = conflict.published_citation if d.about == "cut_off" else conflict.page_citation
    return subject(finding, (_as_sentence(citation),), messages, audience)


def _reason(d: Disagreement, audience: Audience, messages: Messages) -> str:
    """Return why two sides do not agree, in words."""
    if d.about != "statistic":
        return messages.say(f"conflicts.reason_{'value' if d.about == 'level' else d.about}", audience)
    page, published = d.page[0].statistic, d.published[0].statistic
    if page and published:
        return messages.say("conflicts.reason_statistic", audience, page=page, published=published)
    return messages.say("conflicts.reason_unnamed", audience, named=page or published)


def _as_sentence(citation: Citation) -> Sentence:
    """Return a citation's quote as a sentence, to look for figures in."""
    c = citation
    return Sentence(c.pmid, c.source, c.section, c.quote, c.start, c.end)
