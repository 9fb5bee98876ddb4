"""Findings → one chart of bars, as SVG or PNG, with its text alternative and its table; sources side by side."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

from assistant.records import Finding
from assistant.tables import (
    SOURCES,
    alternative,
    capital,
    comparable,
    number,
    person,
    sizes,
    statistics,
    table,
    title_of,
    unique,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["alternative", "chart", "comparable", "table"]

Format = Literal["svg", "png"]
Theme = Literal["light", "dark"]

_ORDER = {"mother": 0, "milk": 1, "infant": 2}
_DPI = 160
_WRITING = threading.Lock()


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

    sources = unique(f.source for f in shown)
    people = sorted(unique(f.who for f in shown), key=lambda who: _ORDER.get(who, len(_ORDER)))
    cohorts = unique(f.cohort for f in shown)
    look = _LOOKS[theme]
    width = max(4.2, len(sources) * (1.1 + 0.55 * len(people) * max(2, len(cohorts))))
    figure = Figure(figsize=(width, 4.1), facecolor=look.ground)
    figure.set_layout_engine("constrained", wspace=0.06)
    (FigureCanvasSVG if fmt == "svg" else FigureCanvasAgg)(figure)
    panels = figure.subplots(1, len(sources), sharey=True, squeeze=False)[0]
    for panel, source in zip(panels, sources, strict=True):
        _draw(panel, [f for f in shown if f.source == source], people, cohorts, look)
        under = "\n".join(filter(None, (statistics(shown, source), sizes(shown, source))))
        panel.set_title(under, color=look.ink, fontsize=8.5)
        panel.annotate(
            SOURCES.get(source, source),
            (0.5, 1),
            (0, 10 + 12 * len(under.splitlines())),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            fontsize=11,
            fontweight="bold",
            color=look.ink,
        )
    unit = f" ({shown[0].unit})" if shown[0].unit else ""
    panels[0].set_ylabel(f"{capital(shown[0].measure)}{unit}", color=look.ink, fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    for panel in panels[1:]:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            if label not in labels:
                handles.append(handle)
                labels.append(label)
    if any(labels):
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=len(labels),
            frameon=False,
            labelcolor=look.ink,
            fontsize=10,
        )
    drawn = io.BytesIO()
    title = title_of(shown)
    if fmt == "png":
        figure.savefig(drawn, format="png", dpi=_DPI, metadata={"Title": title, "Software": None})
        return drawn.getvalue()
    # The SVG writer takes these from matplotlib's global settings only; the lock keeps two threads from undoing them.
    with _WRITING, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "study-assistant"}):
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _accessible(drawn.getvalue().decode(), title, alternative(shown)).encode()


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
                panel.errorbar(
                    x,
                    value,
                    [[value - f.low], [f.high - value]],
                    color=look.ground,
                    capsize=5,
                    linewidth=3.4,
                    capthick=3.4,
                )
                panel.errorbar(x, value, [[value - f.low], [f.high - value]], color=look.ink, capsize=4, linewidth=1.4)
                top = max(top, f.high)
            panel.annotate(
                number(value),
                (x, top),
                (0, 4),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=9,
                color=look.ink,
            )
    panel.set_facecolor(look.ground)
    panel.set_xticks(range(len(people)), [person(who) for who in people])
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
    # A page may show several charts; ids have to differ between them.
    key = hashlib.sha256(svg.encode()).hexdigest()[:8]
    named = f'{svg[opening:close]} role="img" aria-labelledby="title-{key} desc-{key}">'
    told = f'\n <title id="title-{key}">{escape(title)}</title>\n <desc id="desc-{key}">{escape(description)}</desc>'
    return named + told + svg[close + 1 :]
