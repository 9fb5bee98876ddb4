"""Findings in words and as a Markdown table, for those who don't see the chart, and what one chart can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from assistant.comparing import conversion
from assistant.records import Finding
from assistant.vocabulary import kind

SOURCES = {"summary": "Study page (summary)", "technical": "Study page", "published": "Published abstract"}
PEOPLE = {"mother": "Mothers", "milk": "Breast milk", "infant": "Infants", "dyad": "Pairs"}


def comparable(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of one study that one chart can show: levels (else shares, else counts) in one unit."""
    for wanted in ("level", "percent", "count"):
        numeric = [f for f in findings if f.value is not None and kind(f) == wanted]
        if numeric:
            pmid, measure, unit = Counter((f.pmid, f.measure, f.unit) for f in numeric).most_common(1)[0][0]
            # ng/mL and µg/L are one unit under two names, and may share an axis; nmol/L and pmol/L may not.
            same = (f for f in numeric if (f.pmid, f.measure) == (pmid, measure))
            return tuple(f for f in same if conversion(f.unit, unit) == 1)
    return ()


def alternative(findings: Sequence[Finding]) -> str:
    """Return what the chart shows, in words, for those who don't see it; "" where there is nothing to draw."""
    shown = comparable(findings)
    if not shown:
        return ""
    told = []
    for source in unique(f.source for f in shown):
        values = []
        for who in unique(f.who for f in shown if f.source == source):
            bars = [f for f in shown if f.source == source and f.who == who]
            each = ", ".join(f"{f.cohort} {_amount(f)}".strip() for f in bars)
            values.append(f"{person(who)}: {each}")
        told.append(
            f"{SOURCES.get(source, source)} ({statistics(shown, source)}). {'; '.join(values)}.".replace(" ()", "")
        )
    return f"{title_of(shown)}. {' '.join(told)}"


def table(findings: Sequence[Finding]) -> str:
    """Return all findings as a Markdown table, "" for none; columns that no finding fills are left out."""
    rows = [
        {
            "Who": person(f.who),
            "Cohort": f.cohort,
            "Measure": f.measure,
            "n": "" if f.n is None else str(f.n),
            "Statistic": f.statistic,
            "Value": _with_unit(f),
            "Interval": "" if f.low is None or f.high is None else f"{number(f.low)}–{number(f.high)}",
            "p": f.p,
            "Source": SOURCES.get(f.source, f.source),
        }
        for f in findings
    ]
    columns = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    if not columns:
        return ""
    lines = [columns, ["---"] * len(columns), *([row[name].replace("|", "\\|") for name in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def statistics(findings: Sequence[Finding], source: str) -> str:
    """Return which statistics a source gives, and that it gives intervals: "median; lines: interval"."""
    here = [f for f in findings if f.source == source]
    names = [f.statistic or "average, kind not named" for f in here if kind(f) == "level"]
    if len(set(names)) > 1:
        who = {
            name: [person(f.who).lower() for f in here if (f.statistic or "average, kind not named") == name]
            for name in names
        }
        said = "; ".join(f"{', '.join(unique(people))}: {name}" for name, people in who.items())
    else:
        said = "".join(set(names))
    return f"{said}; lines: interval".lstrip("; ") if any(f.low is not None for f in here) else said


def sizes(findings: Sequence[Finding], source: str) -> str:
    """Return how many were in each cohort, "Canada n=40, Cambodia n=67", or "" where a cohort has no single n."""
    found: dict[str, set[int | None]] = {}
    for f in findings:
        if f.source == source:
            found.setdefault(f.cohort, set()).add(f.n)
    if any(len(ns) != 1 or None in ns for ns in found.values()):
        return ""
    return ", ".join(f"{cohort} n={ns.pop()}".strip() for cohort, ns in found.items())


def title_of(findings: Sequence[Finding]) -> str:
    """Return what findings of one measure are about: "Vitamin B12 in pmol/L: Canada, Cambodia"."""
    cohorts = [cohort for cohort in unique(f.cohort for f in findings) if cohort]
    unit = f" in {findings[0].unit}" if findings[0].unit else ""
    return f"{capital(findings[0].measure)}{unit}" + (f": {', '.join(cohorts)}" if cohorts else "")


def _amount(finding: Finding) -> str:
    interval = (
        "" if finding.low is None or finding.high is None else f" ({number(finding.low)} to {number(finding.high)})"
    )
    return f"{number(finding.value or 0.0)}{interval}"


def _with_unit(finding: Finding) -> str:
    """Return "348 pmol/L", "97%" or, by custom with two decimals, "0.20" for an r; "" for no figure."""
    if finding.value is None:
        return ""
    shown = f"{finding.value:.2f}" if finding.statistic == "r" else number(finding.value)
    return f"{shown} {finding.unit}".replace(" %", "%").strip()


def number(value: float) -> str:
    """Return a figure without digits that it does not have.

    >>> number(348.0), number(41.2), number(1250000.0)
    ('348', '41.2', '1250000')
    """
    return f"{value:.10f}".rstrip("0").rstrip(".")


def person(who: str) -> str:
    """Return what a `who` is called on a chart."""
    return PEOPLE.get(who, capital(who))


def unique(items: Iterable[str]) -> list[str]:
    """Return the items without repeats, in order of first appearance."""
    return list(dict.fromkeys(items))


def capital(text: str) -> str:
    """Return a text with its first letter in upper case, the others as they are."""
    return text[:1].upper() + text[1:]
