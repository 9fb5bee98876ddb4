"""A follow-up is asked as it would be without its history; what stands alone stays as it is."""

from __future__ import annotations

import pytest

from assistant.records import Study, Turn
from assistant.rewrite import follows_up, standalone

REPLY = (
    "Breast milk from Canadian mothers had more B12 than breast milk from Cambodian mothers. [1] It was compared. [2]"
)


def history(*asked: str, reply: str = REPLY) -> list[Turn]:
    """A conversation in which these questions were asked, each with the same reply."""
    return [turn for text in asked for turn in (Turn(role="user", content=text), Turn(role="assistant", content=reply))]


EXCHANGED = {
    "the other group": (
        "How much B12 was in milk in Canada?",
        "and the other group?",
        ["milk", "Cambodia"],
        ["Canada"],
    ),
    "a place": ("How much B12 was in milk in Canada?", "And in Cambodia?", ["milk", "Cambodia"], ["Canada"]),
    "the little ones": ("What was the B12 of the mothers?", "and for the little ones?", ["infant"], ["mother"]),
    "the babies": ("What was the mothers' B12 in Canada?", "What about the babies?", ["infant", "Canada"], ["mother"]),
    "milk": ("What was the infants' B12 in Canada?", "and breast milk?", ["breast milk", "Canada"], ["infant"]),
    "why": ("Was there more in Canada?", "how come?", ["Why?", "more B12 than breast milk"], ["compared"]),
    "a measure": ("What was the vitamin B12 of the mothers?", "and zinc?", ["zinc", "mothers"], ["B12"]),
}


@pytest.mark.parametrize("case", EXCHANGED)
def test_a_follow_up_takes_what_it_lacks_from_the_history(case: str, study: Study) -> None:
    before, question, has, has_not = EXCHANGED[case]
    told = standalone(question, history(before), study)
    assert all(text.lower() in told.lower() for text in has), told
    assert not any(text.lower() in told.lower() for text in has_not), told


def test_a_second_follow_up_reaches_back_to_the_question(study: Study) -> None:
    told = standalone("and the babies?", history("How much B12 was in milk in Canada?", "and in Cambodia?"), study)
    assert "infant" in told and "Cambodia" in told and "Canada" not in told, told


ALONE = [
    "How many pairs took part in Cambodia?",
    "What is the title of the study?",
    "Who paid for the study?",
    "Did the researchers measure zinc?",
    "What did the mothers in Cambodia eat?",
    "Is it true that the study gave supplements to anyone?",
    "What are the limitations of this study?",
    "When was the paper published?",
    "What is the capital of France?",
]


@pytest.mark.parametrize("question", ALONE)
def test_a_question_that_stands_alone_is_not_bent(question: str, study: Study) -> None:
    assert standalone(question, history("How much B12 was in milk in Canada?"), study) == question


@pytest.mark.parametrize("question", ["and the other group?", "how come?", "why?", "in Cambodia?"])
def test_without_history_nothing_changes(question: str, study: Study) -> None:
    assert standalone(question, (), study) == question
    assert standalone(question, [Turn(role="assistant", content="Hello!")], study) == question


def test_follows_up(study: Study) -> None:
    assert follows_up("and the other group?", study) and follows_up("why?", study)
    assert not follows_up("How much B12 did the infants in Canada have?", study)


def test_hostile_turns_do_no_harm(study: Study) -> None:
    for text in ("", " ", "?", "[1]", "\\g<0>", "(?P<x>", "{missing}", "a" * 5000):
        assert isinstance(standalone("and the other group?", history(text, reply=text), study), str)
        assert isinstance(standalone(text, history("How much B12?"), study), str)
