"""What a message asks, without what it tells of the asker."""

from __future__ import annotations

import pytest

from assistant.gist import gist


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("GP here. Did they measure ferritin in the mothers?", "Did they measure ferritin in the mothers?"),
        ("my lo has a bottle, did they look at any bottle fed babies?", "did they look at any bottle fed babies?"),
        ("which foods have iron in? we dont eat much meat", "which foods have iron in?"),
        (
            "does it say anything about vegan mums, my sister is one and shes nursing",
            "does it say anything about vegan",
        ),
        ("Preparing a talk. I need the infant figure with its 95% CI.", "I need the infant figure with its 95% CI."),
    ],
)
def test_what_is_told_of_the_asker_is_left_out(message: str, asked: str) -> None:
    assert gist(message).startswith(asked)
    assert len(gist(message)) < len(message)


@pytest.mark.parametrize(
    "message",
    [
        "Infants were sampled late. Do the authors treat that as a problem?",  # "that" needs the first sentence
        "In the paper, was milk iron related to infant iron?",
        "Maternal BMI, which site higher",
        "IM or oral, and what dose?",
        "someone in my group says the paper has other numbers than this page. what does the paper say?",
        "My wife is bleeding.",
        "",
        "???",
        "iron",
    ],
)
def test_what_the_question_needs_stays(message: str) -> None:
    assert gist(message) == message
