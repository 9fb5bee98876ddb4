"""Findings → one chart of bars, as SVG or PNG, with its text alternative and its table; sources side by side."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

from assistant.records import Finding
from assistant.vocabulary import kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Format = Literal["svg", "png"]
Theme = Literal["light", "dark"]

SOURCES = {"summary": "Study page (summary)", "technical": "Study page", "published": "Published abstract"}
PEOPLE = {"mother": "Mothers", "milk": "Breast milk", "infant": "Infants", "dyad": "Pairs"}
_ORDER = {"mother": 0, "milk": 1, "infant": 2}
_DPI = 160


@dataclass(frozen=True, slots=True)
class _Look:
    """Colours of a theme: ground, ink, faint lines, and one fill for each cohort."""

    ground: str
    ink: str
    faint: str
    fills: tuple[str, ...]


# Okabe and Ito's colours, ordered so that neighbours differ in lightness too: told apart in grey and by the
# colour-blind; hatches do it a third time.
_LOOKS: dict[str, _Look] = {
    "light": _Look("#ffffff", "#1a1a1a", "#d9d9d9", ("#0072b2", "#f0c04a", "#8c4a1f", "#8fd0f5", "#4d4d4d")),
    "dark": _Look("#15181c", "#f2f2f2", "#3d434b", ("#56b4e9", "#b35806", "#f7e08a", "#00614a", "#c9c9c9")),
}
_HATCHES = ("", "///", "...", "xxx", "---")


def comparable(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that one chart can show: levels (else shares, else counts) in their commonest unit."""
    for wanted in ("level", "percent", "count"):
        numeric = [f for f in findings if f.value is not None and kind(f) == wanted]
        if numeric:
            shown = Counter((f.measure, f.unit) for f in numeric).most_common(1)[0][0]
            return tuple(f for f in numeric if (f.measure, f.unit) == shown)
    return ()


def chart(findings: Sequence[Finding], fmt: Format = "svg", theme: Theme = "light") -> bytes:
    """Return a chart of the findings that share a measure and a unit; the same findings give the same bytes.

    Raises:
        ValueError: Nothing in the findings can be drawn, or the format or theme is unknown.
    """
    shown = comparable(findings)
    if not shown:
        raise ValueError("no finding has a figure to draw; ask about figures that the study gives")
    if fmt not in ("svg", "png") or theme not in _LOOKS:
        raise ValueError(f"chart(fmt={fmt!r}, theme={theme!r}): expected 'svg' or 'png', and 'light' or 'dark'")
    # Here and not at the top: matplotlib takes a second to import. `Figure` alone, without pyplot, has no shared state.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    sources = _unique(f.source for f in shown)
    people = sorted(_unique(f.who for f in shown), key=lambda who: _ORDER.get(who, len(_ORDER)))
    cohorts = _unique(f.cohort for f in shown)
    look = _LOOKS[theme]
    width = max(4.2, len(sources) * (1.1 + 0.55 * len(people) * max(2, len(cohorts))))
    figure = Figure(figsize=(width, 4.1), facecolor=look.ground, layout="constrained")
    (FigureCanvasSVG if fmt == "svg" else FigureCanvasAgg)(figure)
    panels = figure.subplots(1, len(sources), sharey=True, squeeze=False)[0]
    for panel, source in zip(panels, sources, strict=True):
        _draw(panel, [f for f in shown if f.source == source], people, cohorts, look)
        panel.set_title(f"{SOURCES.get(source, source)}\n{_statistics(shown, source)}".strip(), color=look.ink, fontsize=10)
    unit = f" ({shown[0].unit})" if shown[0].unit else ""
    panels[0].set_ylabel(f"{_capital(shown[0].measure)}{unit}", color=look.ink, fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    for panel in panels[1:]:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            if label not in labels:
                handles.append(handle)
                labels.append(label)
    if any(labels):
        figure.legend(
            handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, labelcolor=look.ink, fontsize=10
        )
    drawn = io.BytesIO()
    title = _title(shown)
    if fmt == "png":
        figure.savefig(drawn, format="png", dpi=_DPI, metadata={"Title": title, "Software": None})
        return drawn.getvalue()
    # Only the writer reads these two, and every call sets them alike, so threads can't disturb each other.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "study-assistant"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return _accessible(drawn.getvalue().decode(), title, alternative(shown)).encode()


def alternative(findings: Sequence[Finding]) -> str:
    """Return what the chart shows, in words, for those who don't see it; "" where there is nothing to draw."""
    shown = comparable(findings)
    if not shown:
        return ""
    told = []
    for source in _unique(f.source for f in shown):
        values = []
        for who in _unique(f.who for f in shown if f.source == source):
            bars = [f for f in shown if f.source == source and f.who == who]
            each = ", ".join(f"{f.cohort} {_amount(f)}".strip() for f in bars)
            values.append(f"{_person(who)}: {each}")
        told.append(f"{SOURCES.get(source, source)} ({_statistics(shown, source)}). {'; '.join(values)}.".replace(" ()", ""))
    return f"{_title(shown)}. {' '.join(told)}"


def table(findings: Sequence[Finding]) -> str:
    """Return all findings as a Markdown table, "" for none; columns that no finding fills are left out."""
    rows = [
        {
            "Who": _person(f.who),
            "Cohort": f.cohort,
            "Measure": f.measure,
            "n": "" if f.n is None else str(f.n),
            "Statistic": f.statistic,
            "Value": "" if f.value is None else f"{_number(f.value)} {f.unit}".replace(" %", "%").strip(),
            "Interval": "" if f.low is None or f.high is None else f"{_number(f.low)}–{_number(f.high)}",
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


def _draw(panel: Axes, findings: Sequence[Finding], people: Sequence[str], cohorts: Sequence[str], look: _Look) -> None:
    """Draw one source's bars: a group for each `who`, a bar for each cohort, its interval and its figure."""
    width = 0.8 / len(cohorts)
    for at, cohort in enumerate(cohorts):
        for f in (f for f in findings if f.cohort == cohort):
            x = people.index(f.who) + (at - (len(cohorts) - 1) / 2) * width
            value = f.value or 0.0
            labels = panel.get_legend_handles_labels()[1]
            panel.bar(
                x,
                value,
                width * 0.9,
                color=look.fills[at % len(look.fills)],
                hatch=_HATCHES[at % len(_HATCHES)],
                edgecolor=look.ink,
                linewidth=0.8,
                label=cohort if cohort not in labels else "_",
            )
            top = value
            if f.low is not None and f.high is not None:
                # From the ends as given: an interval about a geometric mean need not be symmetric.
                panel.errorbar(x, value, [[value - f.low], [f.high - value]], color=look.ground, capsize=5, linewidth=3.4, capthick=3.4)
                panel.errorbar(x, value, [[value - f.low], [f.high - value]], color=look.ink, capsize=4, linewidth=1.4)
                top = max(top, f.high)
            panel.annotate(
                _number(value), (x, top), (0, 4), textcoords="offset points", ha="center", va="bottom", fontsize=9, color=look.ink
            )
    panel.set_facecolor(look.ground)
    panel.set_xticks(range(len(people)), [_person(who) for who in people])
    panel.set_xlim(-0.6, len(people) - 0.4)
    panel.margins(y=0.12)
    panel.tick_params(colors=look.ink, labelsize=10, length=0)
    panel.grid(axis="y", color=look.faint, linewidth=0.8)
    panel.set_axisbelow(True)
    for side, spine in panel.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(look.ink)


def _accessible(svg: str, title: str, description: str) -> str:
    """Return an SVG that says what it is: role, title and description, which screen readers speak."""
    opening = svg.index("<svg")
    close = svg.index(">", opening)
    named = f'{svg[opening:close]} role="img" aria-labelledby="chart-title chart-desc">'
    told = f'\n <title id="chart-title">{escape(title)}</title>\n <desc id="chart-desc">{escape(description)}</desc>'
    return svg[opening:opening] + named + told + svg[close + 1 :]


def _statistics(findings: Sequence[Finding], source: str) -> str:
    """Return which statistics a source gives, and whether intervals: "geometric mean, with interval"."""
    here = [f for f in findings if f.source == source]
    names = [f.statistic or "average, kind not named" for f in here if kind(f) == "level"]
    if len(set(names)) > 1:
        who = {name: [_person(f.who).lower() for f in here if (f.statistic or "average, kind not named") == name] for name in names}
        said = "; ".join(f"{', '.join(_unique(people))}: {name}" for name, people in who.items())
    else:
        said = "".join(set(names))
    return f"{said}, bars with interval" if any(f.low is not None for f in here) else said


def _title(findings: Sequence[Finding]) -> str:
    cohorts = [cohort for cohort in _unique(f.cohort for f in findings) if cohort]
    unit = f" in {findings[0].unit}" if findings[0].unit else ""
    return f"{_capital(findings[0].measure)}{unit}" + (f": {', '.join(cohorts)}" if cohorts else "")


def _amount(finding: Finding) -> str:
    interval = "" if finding.low is None or finding.high is None else f" ({_number(finding.low)} to {_number(finding.high)})"
    return f"{_number(finding.value or 0.0)}{interval}"


def _number(value: float) -> str:
    """Return a figure without digits that it does not have.

    >>> _number(348.0), _number(41.2), _number(1250000.0)
    ('348', '41.2', '1250000')
    """
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _person(who: str) -> str:
    return PEOPLE.get(who, _capital(who))


def _unique(items) -> list[str]:  # type: ignore[no-untyped-def]
    return list(dict.fromkeys(items))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
