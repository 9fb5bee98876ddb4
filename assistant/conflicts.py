"""What the study page and the published paper say differently about the same thing, computed from the findings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Literal

from assistant.comparing import conversion, correlated, p_bounds, verdict
from assistant.numerals import numbers
from assistant.records import Citation, Finding, Sentence, Study
from assistant.standing import decimal, evidence
from assistant.vocabulary import cohort_pattern, kind, named_who, negated, stems

About = Literal["level", "statistic", "percent", "count", "correlation", "state", "cut_off", "ranking"]

PUBLISHED = "published"
_CUT_OFF = re.compile(r"(?P<sign>[<>≤≥])\s*(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>[^\s)]+)")
_STRENGTH = re.compile(r"\b(?:strong|weak|clos)(?:er|est)\b", re.I)
_LINK = re.compile(r"\b(?:link|connect|correlat|associat|relat)\w*", re.I)
_MOST = 50


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that two sources say differently.

    Attributes:
        about: What differs: figures of one statistic ("level"), figures of different or unnamed ones ("statistic"),
            shares, head counts, correlations, states without number; or, worked out from several findings, an average
            that does not fit with the share beyond a cut-off, or which correlation is the stronger.
        cohort: One cohort, or for "ranking" all of them, joined by ", ".
        page: The study page's findings; one, but for "ranking".
        published: The published paper's (or, between the page's own two halves, the second half's).
    """

    about: About
    measure: str
    who: str
    cohort: str
    page: tuple[Finding, ...]
    published: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of both sides."""
        return self.page + self.published

    @property
    def derived(self) -> bool:
        """Whether it is worked out from several findings and not a difference between two."""
        return self.about in {"cut_off", "ranking"}


def find(study: Study) -> tuple[Disagreement, ...]:
    """Return what a study's sources disagree on, in the order of its findings, what is worked out last."""
    names = [source.name for source in study.sources]
    found: list[Disagreement] = []
    for one, other in combinations(names, 2):
        ours = [f for f in study.findings if f.source == one]
        theirs = [f for f in study.findings if f.source == other]
        for disagreement in (*_direct(ours, theirs), *_cut_offs(ours, theirs), *_rankings(ours, theirs)):
            # The page's two halves may both give a figure; that it differs from the paper is said once.
            if not any(_same(disagreement, known) for known in found):
                found.append(disagreement)
    return tuple(sorted(found, key=lambda d: d.derived))


def touching(
    study: Study,
    disagreements: Iterable[Disagreement],
    *,
    cited: Sequence[Citation] = (),
    used: Sequence[Finding] = (),
    text: str | None = None,
) -> tuple[Disagreement, ...]:
    """Return the disagreements of which an answer uses a side.

    Args:
        study: The study that they are of.
        disagreements: As `find` gives them.
        cited: The answer's citations; a quote uses a finding where it gives its figure, or says or denies its state.
        used: Findings that the answer was put together from.
        text: The answer's statements; where given, a cited figure counts only if they show it.
    """
    shown = None if text is None else {number.value for number in numbers(text)}
    found = []
    for d in disagreements:
        if any(f in used for f in d.findings) or any(_uses(study, citation, d, shown) for citation in cited):
            found.append(d)
    # That an average misses a cut-off adds nothing where the average itself is already shown to differ.
    direct = {(d.who, d.cohort) for d in found if d.about in {"level", "statistic"}}
    return tuple(d for d in found if d.about != "cut_off" or (d.who, d.cohort) not in direct)


def _direct(ours: Sequence[Finding], theirs: Sequence[Finding]) -> Iterable[Disagreement]:
    """Yield the findings of one source that another contradicts about the same measure, who and cohort."""
    for key in dict.fromkeys(map(_key, ours)):
        mine, others = [f for f in ours if _key(f) == key], [f for f in theirs if _key(f) == key]
        if not others:
            continue
        pair = next(((a, b) for a in mine for b in others if a.statistic == b.statistic), (mine[0], others[0]))
        if verdict(*pair) == "differ":
            a, b = pair
            about: About = "statistic" if kind(a) == "level" and a.statistic != b.statistic else kind(a)
            if about == "statistic" and not a.statistic and not b.statistic:
                about = "level"
            yield Disagreement(about, a.measure, a.who, a.cohort, (a,), (b,))


def _cut_offs(ours: Sequence[Finding], theirs: Sequence[Finding]) -> Iterable[Disagreement]:
    """Yield averages on one side of a cut-off where the other source has most people on the other side."""
    for share, averages, swapped in ((theirs, ours, False), (ours, theirs, True)):
        for f in share:
            cut = _CUT_OFF.search(f.measure)
            if kind(f) != "percent" or not cut or f.value is None:
                continue
            for average in averages:
                factor = conversion(average.unit, cut["unit"])
                about_same = set(stems(average.measure)) & set(stems(f.measure.partition("(")[0]))
                if (
                    kind(average) != "level"
                    or (average.who, average.cohort) != (f.who, f.cohort)
                    or factor is None
                    or average.value is None
                    or not about_same
                ):
                    continue
                above = decimal(average.value) * factor > Decimal(cut["value"])
                most_above = (f.value > _MOST) == (cut["sign"] in ">≥")
                if above != most_above:
                    sides = ((f,), (average,)) if swapped else ((average,), (f,))
                    yield Disagreement("cut_off", f.measure, f.who, f.cohort, *sides)


def _rankings(ours: Sequence[Finding], theirs: Sequence[Finding]) -> Iterable[Disagreement]:
    """Yield correlations that one source ranks by r between cohorts, and the other's figures don't."""
    for measure in dict.fromkeys(f.measure for f in ours if kind(f) == "correlation"):
        mine = [f for f in ours if f.measure == measure and kind(f) == "correlation"]
        others = [f for f in theirs if f.measure == measure and kind(f) == "correlation"]
        cohorts = [f.cohort for f in mine]
        if len(mine) < 2 or sorted(cohorts) != sorted(f.cohort for f in others):
            continue
        first, second = strongest(mine), strongest(others)
        if (
            (first and second and first != second)
            or (first and _p_against(others, first))
            or (second and _p_against(mine, second))
        ):
            yield Disagreement("ranking", measure, mine[0].who, ", ".join(cohorts), tuple(mine), tuple(others))


def strongest(correlations: Sequence[Finding]) -> str:
    """Return the cohort with the correlation furthest from 0, or "" where not all have an r, or two share the first."""
    sizes = {f.cohort: abs(f.value) for f in correlations if f.value is not None}
    top = [cohort for cohort, size in sizes.items() if size == max(sizes.values())]
    return top[0] if len(sizes) == len(correlations) and len(top) == 1 else ""


def _p_against(correlations: Sequence[Finding], cohort: str) -> bool:
    """Return whether figures without r are surer of another cohort's correlation than of this one's."""
    if any(f.value is not None for f in correlations):
        return False
    here = next(f for f in correlations if f.cohort == cohort)
    bounds = p_bounds(here.p)
    for other in correlations:
        limits = p_bounds(other.p)
        surer = bool(bounds and limits and limits[1] < bounds[1])
        if other is not here and correlated(other) and (surer or not correlated(here)):
            return True
    return False


def _uses(study: Study, citation: Citation, disagreement: Disagreement, shown: Collection[Decimal] | None) -> bool:
    """Return whether a citation's quote gives a side of a disagreement, with a figure that is shown."""
    if citation.pmid != disagreement.findings[0].pmid:
        return False
    if disagreement.about == "ranking":
        return bool(_STRENGTH.search(citation.quote) and _LINK.search(citation.quote))
    return any(
        _gives(study, citation, f)
        for f in disagreement.findings
        if shown is None or f.value is None or decimal(f.value) in shown
    )


def _gives(study: Study, citation: Citation, finding: Finding) -> bool:
    """Return whether a quote gives a finding: it holds its evidence, its figure in its context, or its claim."""
    if (citation.source == PUBLISHED) != (finding.source == PUBLISHED):
        return False
    if any(_within(sentence, citation) for sentence in evidence(study, finding)[:1]):
        return True
    here = set(stems(citation.quote))
    cohort = not finding.cohort or bool(cohort_pattern(finding.cohort, study).search(citation.quote))
    subject = {s for s in stems(re.sub(r"\([^)]*\)", "", finding.measure)) if len(s) > 1}
    if finding.value is None:
        verb = {s for s in stems(finding.statistic) if s not in {"not", "no"}}
        denied = negated(citation.quote, verb | subject)
        # "None was given" is said of every cohort; "it was given" only of one that is named.
        return subject <= here and denied == negated(finding.statistic) and (denied or cohort)
    holds = {number.value for number in numbers(citation.quote)}
    about = bool(named_who(citation.quote, [finding.who])) or bool(subject & here)
    return decimal(finding.value) in holds and about and cohort


def _within(sentence: Sentence, citation: Citation) -> bool:
    """Return whether a citation covers a sentence."""
    return sentence.source == citation.source and citation.start <= sentence.start and sentence.end <= citation.end


def _key(finding: Finding) -> tuple[str, str, str]:
    """Return what two findings have to share to be about the same thing; spelling of dashes and case apart."""
    fold = re.sub(r"[-–—−]", "-", finding.measure.casefold())
    return " ".join(fold.split()), finding.who.casefold(), finding.cohort.casefold()


def _same(one: Disagreement, known: Disagreement) -> bool:
    """Return whether a disagreement only repeats a known one from the page's other half."""
    return (
        (one.about, one.measure, one.who, one.cohort) == (known.about, known.measure, known.who, known.cohort)
        and one.published == known.published
        and [(f.statistic, f.value) for f in one.page] == [(f.statistic, f.value) for f in known.page]
    )
