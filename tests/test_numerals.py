"""Numbers in text: which count, and which a quote doesn't give."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.numerals import numbers, unsupported

FOUND = {
    "B12 was 348 pmol/L vs. 171 pmol/L": ["348 pmol/l", "171 pmol/l"],
    "vitamin B12, omega-3, COVID-19, 25(OH)D, H1N1": [],
    "(n=40; p<0.001)": ["40", "0.001"],
    "2.03x higher, 2.34 × as much": ["2.03 x", "2.34 x"],
    "3–27 weeks and 3-4 months": ["3", "27 week", "3", "4 month"],
    "95% CI 648–747": ["95 %", "648", "747"],
    "1,234 women, 12,345,678 cells": ["1234", "12345678"],
    "r=.51, r = -0.20, −3 °C": ["0.51", "0.20", "3"],
    "99 percent, 98 per cent": ["99 %", "98 %"],
    "5 mcg, 5 µg, 5 μg": ["5 µg", "5 µg", "5 µg"],
    "1.2.3 is a version": ["1.2"],
    "2017": ["2017"],
    "": [],
}


@pytest.mark.parametrize("text", FOUND)
def test_numbers(text: str) -> None:
    assert [f"{n.value} {n.unit}".strip() for n in numbers(text)] == FOUND[text]
    for number in numbers(text):
        assert Decimal(text[number.start : number.end].replace(",", "")) == number.value


UNSUPPORTED = {
    "same": ("It was 348 pmol/L.", "348 pmol/L", []),
    "trailing zero": ("r was 0.2.", "r=0.20", []),
    "thousands": ("1,234 women", "1234 women took part", []),
    "unit left out": ("It was 348.", "348 pmol/L", []),
    "number word in the quote": ("2 groups", "in two groups", []),
    "another number": ("It was 349 pmol/L.", "348 pmol/L", ["349 pmol/l"]),
    "another unit": ("It was 348 nmol/L.", "348 pmol/L", ["348 nmol/l"]),
    "percent for pmol/L": ("348% of them", "348 pmol/L", ["348 %"]),
    "a part of a number": ("It was 48.", "348 pmol/L", ["48"]),
    "a part of a decimal": ("It was 51.", "r=0.51", ["51"]),
    "digits of a name": ("It took 12 weeks.", "vitamin B12", ["12 week"]),
    "another magnitude": ("p<0.01", "p<0.001", ["0.01"]),
    "one of two": ("348 and 172", "348 vs. 171", ["172"]),
    "sign turned": ("r was -0.51.", "r=0.51", ["-0.51"]),
    "sign lost": ("r was 0.51.", "r=−0.51", ["0.51"]),
    "sign kept": ("r was -0.51.", "r=−0.51", []),
    "a range has no sign": ("27 weeks", "3-27 weeks", []),
    "a range with spaces has no sign": ("27 weeks", "3 – 27 weeks", []),
    "a range said anew": ("3–27 weeks", "between 3 and 27 weeks", []),
    "comparison turned": ("p>0.001", "p<0.001", ["0.001"]),
    "comparison made an equation": ("p=0.001", "p<0.001", ["0.001"]),
    "comparison kept": ("p < 0.001", "p<0.001", []),
    "comparison in words": ("above > 221 pmol/L", "above 221 pmol/L", []),
    "comparison left out": ("the cut-off of 221", "> 221 pmol/L", []),
}


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_unsupported(case: str) -> None:
    statement, quotes, missing = UNSUPPORTED[case]
    assert unsupported(statement, quotes) == missing


@given(st.text(max_size=200))
def test_every_text_supports_itself(text: str) -> None:
    assert unsupported(text, text) == []


@given(st.decimals(0, 10**6, places=2, allow_nan=False), st.lists(st.decimals(0, 10**6, places=2), max_size=5))
def test_a_number_stands_only_where_it_is_given(value: Decimal, given_ones: list[Decimal]) -> None:
    quotes = "; ".join(f"{one} pmol/L" for one in given_ones)
    assert bool(unsupported(f"It was {value} pmol/L.", quotes)) == (value not in given_ones)
