"""The chart of an answer's findings: what it draws, in words too, for any study."""

import io
import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from assistant.charts import _LOOKS, alternative, chart, comparable, table
from assistant.corpus import read_corpus

ROOT = Path(__file__).resolve().parents[1]
B12 = read_corpus(ROOT / "corpus").study("28287490")
DROPS = read_corpus(ROOT / "tests" / "data" / "corpus").study("99000001")
LEVELS = [f for f in B12.findings if f.measure == "vitamin B12"]
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return ["".join(node.itertext()).strip() for node in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("findings", "labels"),
    [
        (
            LEVELS,
            "Study page|Published abstract|Canada|Cambodia|Mothers|Breast milk|Infants|Vitamin B12 (pmol/L)|698|145",
        ),
        (
            [f for f in DROPS.findings if f.measure == "vitamin D"],
            "Placebo|Low dose|High dose|Toddler|Vitamin D (nmol/L)|63.4",
        ),
        ([f for f in DROPS.findings if f.measure == "ferritin"], "Ferritin (µg/L)|Published abstract|28|31"),
        ([f for f in B12.findings if f.unit == "%"], "99|84|Published abstract"),
    ],
    ids=["B12", "vitamin D", "ferritin", "percent"],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_svg_says_who_where_how_much_and_by_whom_as_text(findings, labels, theme):
    assert set(labels.split("|")) <= set(texts(chart(findings, "svg", theme)))


def test_the_svg_has_a_title_a_description_and_no_link_elsewhere():
    svg = chart(LEVELS).decode()
    root = ET.fromstring(svg)
    named = {node.get("id"): node.text for node in root if node.tag in (f"{SVG}title", f"{SVG}desc")}
    assert list(named) == root.get("aria-labelledby").split()
    assert root.get("role") == "img"
    assert alternative(LEVELS) in named.values()
    assert not re.search(r"(?:href|src)=[\"'](?!#)", svg) and "url(http" not in svg and "<script" not in svg


def test_intervals_are_drawn_where_they_are_given_and_sources_stay_apart():
    by_source = {source: [f for f in LEVELS if f.source == source] for source in ("technical", "published")}
    lines = {source: chart(found).decode().count('id="LineCollection') for source, found in by_source.items()}
    assert lines["technical"] == 0 and lines["published"] >= 6
    both = chart(LEVELS).decode()
    assert both.count('id="axes_') == 2


def test_the_same_findings_give_the_same_bytes_from_many_threads():
    first = {fmt: chart(LEVELS, fmt) for fmt in ("svg", "png")}
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda fmt: (fmt, chart(LEVELS, fmt)), ["svg", "png"] * 4))
    assert all(first[fmt] == data for fmt, data in drawn)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_png_is_an_image_on_the_theme_s_ground(theme):
    image = Image.open(io.BytesIO(chart(LEVELS, "png", theme))).convert("RGB")
    assert image.width > 1000 and image.height > 500
    assert "#{:02x}{:02x}{:02x}".format(*image.getpixel((2, 2))) == _LOOKS[theme].ground


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_neighbouring_bars_differ_in_grey_and_text_is_legible(theme):
    look = _LOOKS[theme]
    # WCAG 2.2: 4.5 for text (1.4.3); neighbours told apart without colour, hatches apart, by at least 1.8.
    assert contrast(look.ink, look.ground) >= 4.5
    assert all(contrast(one, other) >= 1.8 for one, other in zip(look.fills[:3], look.fills[1:3], strict=False))


def test_the_alternative_gives_every_bar_its_figure_and_source():
    said = alternative(LEVELS)
    assert "Study page (mothers: median;" in said and "Published abstract (geometric mean" in said
    for f in LEVELS:
        assert f"{f.cohort} {f.value:g}" in said
    assert "Cambodia 357 (312 to 402)" in said


def test_the_table_has_a_row_for_each_finding():
    lines = table(B12.findings).splitlines()
    assert lines[0] == "| Who | Cohort | Measure | n | Statistic | Value | Interval | p | Source |"
    assert len(lines) == 2 + len(B12.findings)
    assert "| Pairs | Cambodia | mother–infant B12 correlation | 67 | r | 0.20 |  | 0.27 | Study page |" in lines
    assert table(()) == ""


def test_units_and_studies_are_never_mixed_on_one_axis():
    mixed = [*B12.findings, *DROPS.findings]
    shown = comparable(mixed)
    assert {(f.pmid, f.unit) for f in shown} == {("28287490", "pmol/L")}


def test_nothing_to_draw_is_said():
    states = [f for f in B12.findings if f.value is None]
    assert alternative(states) == ""
    with pytest.raises(ValueError, match="no finding has a figure"):
        chart(states)
    with pytest.raises(ValueError, match="expected 'svg' or 'png'"):
        chart(LEVELS, "gif")
