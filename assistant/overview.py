"""What the sources of each study disagree on, for a site owner: rows for JSON, a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from assistant.conflicts import Disagreement, find
from assistant.phrasing import figure, p_value
from assistant.ratios import ratios
from assistant.records import Finding, Study
from assistant.standing import evidence, interval_level

_COLUMNS = ("pmid", "about", "measure", "who", "cohort", "page", "published")


def rows(studies: Iterable[Study]) -> list[dict[str, Any]]:
    """Return a row for each disagreement and for each stated ratio that its figures don't allow; JSON-ready.

    A row's `where` says, for both sides, which source, section and characters to look at.
    """
    found: list[dict[str, Any]] = []
    for study in studies:
        found += [_row(study, disagreement) for disagreement in find(study)]
        for ratio in ratios(study):
            if not ratio.holds:
                figures = " / ".join(str(value) for value in ratio.figures)
                found.append(
                    {
                        "pmid": study.pmid,
                        "about": "ratio",
                        "measure": "stated ratio",
                        "who": "",
                        "cohort": "",
                        "page": f"{ratio.stated}x ({ratio.sentence.source})",
                        "published": f"{ratio.computed}x computed from {figures}",
                        "where": [_place(ratio.sentence.source, ratio.sentence.section, [ratio.sentence])],
                    }
                )
    return found


def as_table(studies: Sequence[Study]) -> str:
    """Return the disagreements of studies as a text table, or a line that says there are none."""
    table = [tuple(str(row[name]) for name in _COLUMNS) for row in rows(studies)]
    if not table:
        return f"No disagreement between the sources of {len(studies)} {'study' if len(studies) == 1 else 'studies'}."
    header = tuple(name.upper() for name in _COLUMNS)
    widths = [max(len(line[at]) for line in (header, *table)) for at in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (header, *table)
    ]
    return "\n".join(lines)


def _row(study: Study, d: Disagreement) -> dict[str, Any]:
    sides = {
        name: "; ".join(_described(study, f, d) for f in side)
        for name, side in (("page", d.page), ("published", d.published))
    }
    places = [_place(f.source, f.section, evidence(study, f)) for f in d.findings]
    about = d.about.replace("_", "-")
    return {
        "pmid": study.pmid,
        "about": about,
        "measure": d.measure,
        "who": d.who,
        "cohort": d.cohort,
        **sides,
        "where": places,
    }


def _described(study: Study, f: Finding, d: Disagreement) -> str:
    """Return "348 pmol/L, median, n=40, p<0.001", after its cohort where a side has several."""
    held = evidence(study, f)
    more = [figure(f, held)]
    more += [f.statistic] if f.value is not None and f.statistic not in {"", "count", "percent"} else []
    if f.low is not None and f.high is not None:
        more.append(f"{interval_level(held)} {f.low:g}–{f.high:g}")
    more += [f"n={f.n}"] if f.n is not None and f.statistic != "count" else []
    more += [p_value(f)] if f.p else []
    return (f"{f.cohort}: " if len(d.page) > 1 else "") + ", ".join(more)


def _place(source: str, section: str, sentences: Sequence[Any]) -> dict[str, Any]:
    return {"source": source, "section": section, "spans": [[s.start, s.end] for s in sentences]}
