"""Numbers in text: which there are, and whether two texts give the same ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

# A number is not part of a name ("B12", "COVID-19", "omega-3", "25(OH)D"): no letter touches it from the left, and
# a hyphen before it joins it to a word only where letters stand before the hyphen.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_])(?<![A-Za-z]-)(?<![A-Za-z]–)(?<!\d\.)"
    r"(?P<sign>[-−–](?=\.?\d))?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\.\d+|\d+)"
    r"(?!\(OH\))(?![0-9])"
)
_UNIT = re.compile(
    r"\s*(?P<unit>%|per\s?cent\b|x\b|×|[pnµμmk]?mol/[a-zµμ]+\b|[pnµμmk]?g/[a-zµμ]+(?:/d(?:ay)?)?\b|(?:mc|[pnµμmk])g\b"
    r"|IU\b|kg\b|g\b|m[lL]\b|[cm]m\b|weeks?\b|wks?\b|months?\b|days?\b|years?\b|hours?\b|minutes?\b|pairs?\b)",
    re.I,
)
_RANGE = re.compile(r"[\w.)%]$")
_COMPARISON = re.compile(r"([<>=≤≥])[=\s]{0,2}$")
_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen twenty".split()
    )
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: its value without sign, its unit ("" where none follows), and where it stands.

    Attributes:
        negative: Whether a minus sign stands before it, which the dash of a range is not.
        compared: "<", ">" or "=" where a comparison stands before it, else "".
    """

    value: Decimal
    unit: str
    start: int
    end: int
    negative: bool = False
    compared: str = ""


def numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text in order; digits that are part of a name do not count.

    >>> [(str(n.value), n.unit) for n in numbers("B12 was 348 pmol/L (n=40; p<0.001), 2.03x, 3–27 weeks; omega-3")]
    [('348', 'pmol/l'), ('40', ''), ('0.001', ''), ('2.03', 'x'), ('3', ''), ('27', 'week')]
    """
    for match in _NUMBER.finditer(text):
        unit = _UNIT.match(text, match.end())
        yield Number(
            Decimal(match["digits"].replace(",", "")),
            _canonical(unit["unit"]) if unit else "",
            match.start("digits"),
            match.end(),
            bool(match["sign"]) and not _RANGE.search(text, 0, match.start()),
            _compared(text, match.start()),
        )


def _compared(text: str, start: int) -> str:
    """Return the comparison before an offset: "<" (at most, below), ">" (at least, above), "=", or ""."""
    sign = _COMPARISON.search(text, max(0, start - 4), start)
    return {"≤": "<", "≥": ">"}.get(sign[1], sign[1]) if sign else ""


def _canonical(unit: str) -> str:
    """Return one spelling for each unit."""
    folded = unit.lower().replace("μ", "µ").replace("mcg", "µg").replace("×", "x").replace("per cent", "%")
    folded = folded.replace("percent", "%").replace("wk", "week")
    return folded[:-1] if folded.endswith("s") and len(folded) > 3 else folded


def unsupported(statement: str, quotes: str) -> list[str]:
    """Return the numbers of a statement, as written, that the quotes do not give.

    A number is given where the same value stands with the same sign, no other comparison, and the same unit, or with
    no unit on either side; number words up to twenty in the quotes count as their digits.

    >>> unsupported("It was 348 pmol/L.", "Levels were 348 pmol/L vs. 171 pmol/L.")
    []
    >>> unsupported("It was 348 nmol/L in 40 women.", "It was 348 pmol/L (n=40).")
    ['348 nmol/l']
    """
    given: dict[Decimal, list[Number]] = {}
    for number in numbers(quotes):
        given.setdefault(number.value, []).append(number)
    for word in re.findall(r"[a-z]+", quotes.lower()):
        if word in _WORDS:
            value = Decimal(_WORDS[word])
            given.setdefault(value, []).append(Number(value, "", 0, 0))
    return [
        f"{'-' * number.negative}{number.value} {number.unit}".strip()
        for number in numbers(statement)
        if not any(_gives(other, number) for other in given.get(number.value, ()))
    ]


def _gives(quoted: Number, said: Number) -> bool:
    """Return whether a quoted number of the same value gives what was said of it."""
    return (
        quoted.negative == said.negative
        and (quoted.unit == said.unit or not quoted.unit or not said.unit)
        and (quoted.compared == said.compared or not quoted.compared or not said.compared)
    )
