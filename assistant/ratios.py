"""Ratios that a text states ("2.03x higher … 348 vs. 171"), checked against the figures that it gives for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from assistant.numerals import Number, numbers
from assistant.records import Sentence, Study
from assistant.standing import decimal

_TIMES = re.compile(r"\s*(?:x\b|×|times\b|-?fold\b)", re.I)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A stated ratio and the two figures beside it.

    Attributes:
        stated: As the text gives it.
        computed: The larger figure over the smaller, to as many decimals as `stated` has.
        holds: Whether `stated` is possible for figures that round to these two.
    """

    sentence: Sentence
    stated: Decimal
    figures: tuple[Decimal, Decimal]
    computed: Decimal
    holds: bool


def ratios(study: Study) -> tuple[Ratio, ...]:
    """Return every ratio that a study's sources state beside two figures of its findings, in order."""
    return tuple(ratio for sentence in study.sentences for ratio in _in(sentence, study))


def _in(sentence: Sentence, study: Study) -> Iterable[Ratio]:
    """Yield the ratios that a sentence states."""
    values = {decimal(f.value) for f in study.findings if f.value is not None and f.source == sentence.source}
    found = list(numbers(sentence.text))
    stated = [number for number in found if _TIMES.match(sentence.text, number.end)]
    for at, ratio in enumerate(stated):
        until = stated[at + 1].start if at + 1 < len(stated) else len(sentence.text)
        after = [n for n in found if n.value in values and n.unit and ratio.end <= n.start < until]
        before = [n for n in found if n.value in values and n.unit and n.end <= ratio.start]
        pair = after[:2] if len(after) > 1 else before[-2:]
        if len(pair) == 2 and pair[0].unit == pair[1].unit and min(n.value for n in pair) > 0:
            yield _checked(sentence, ratio, pair[0], pair[1])


def _checked(sentence: Sentence, ratio: Number, one: Number, other: Number) -> Ratio:
    """Return a ratio beside what its two figures, each give or take half its last place, allow."""
    low, high = sorted((one, other), key=lambda n: n.value)
    half = [_last_place(sentence.text[n.start : n.end]) / 2 for n in (low, high, ratio)]
    least = (high.value - half[1]) / (low.value + half[0]) - half[2]
    most = (high.value + half[1]) / (low.value - half[0]) + half[2]
    place = _last_place(sentence.text[ratio.start : ratio.end])
    computed = (high.value / low.value).quantize(place, ROUND_HALF_UP)
    return Ratio(sentence, ratio.value, (one.value, other.value), computed, least <= ratio.value <= most)


def _last_place(text: str) -> Decimal:
    """Return the last place that a figure gives: 0.01 for "2.03", 1 for "348"."""
    return Decimal(1).scaleb(int(Decimal(text.replace(",", "")).as_tuple().exponent))
