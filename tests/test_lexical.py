"""BM25 as a share of the question's idf mass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.lexical import Lexical, terms

TEXTS = [
    "Iron in the milk of mothers.",
    "Zinc in the milk of mothers.",
    "Nobody measured the blood.",
    "Milk, milk, milk.",
]


def test_the_rarer_word_counts_more() -> None:
    lexical = Lexical(TEXTS)
    assert lexical.idf("iron") > lexical.idf("mother") > lexical.idf("milk") > 0
    assert lexical.idf("unknown") > lexical.idf("iron")
    assert int(lexical.scores("iron milk").argmax()) == 0


def test_scores_are_shares() -> None:
    scores = Lexical(TEXTS).scores("Was there iron in the mothers' milk?")
    assert scores.shape == (4,) and scores.dtype == np.float32
    assert scores[2] == 0 and 0 < scores[0] < 1
    assert Lexical(TEXTS).scores("iron unicorn")[0] < Lexical(TEXTS).scores("iron")[0]


@pytest.mark.parametrize("query", ["", "?", "the of and", "unicorn", "🙂", "\0"])
def test_a_query_without_known_words_scores_nothing(query: str) -> None:
    assert Lexical(TEXTS).scores(query).tolist() == [0, 0, 0, 0]


def test_no_texts_and_empty_texts() -> None:
    assert Lexical([]).scores("iron").shape == (0,)
    assert Lexical(["", "the", "iron"]).scores("iron").tolist()[:2] == [0, 0]


def test_terms_are_stemmed_content_words() -> None:
    assert terms("Were the mothers’ levels different from the babies' levels?") == [
        "mother",
        "level",
        "differ",
        "babi",
        "level",
    ]
    assert terms("it's they've") == []
    assert terms("B12 348 pmol/L") == ["b12", "348", "pmol", "l"]


def test_a_contraction_leaves_no_word_behind() -> None:
    assert terms("don't didn't wasn't can't won't") == []


@given(st.text(max_size=60))
def test_any_query_is_taken(query: str) -> None:
    scores = Lexical(TEXTS).scores(query)
    assert np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1.0001).all()
