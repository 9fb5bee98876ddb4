"""Differences, ratios, percentages and cut-offs, worked out from the figures of one source."""

from pathlib import Path

import pytest

from assistant.arithmetic import operands, recognise, work_out
from assistant.corpus import read_corpus
from assistant.messages import Messages
from assistant.numerals import numbers, unsupported

ROOT = Path(__file__).resolve().parents[1]
B12 = read_corpus(ROOT / "corpus").study("28287490")
DROPS = read_corpus(ROOT / "tests" / "data" / "corpus").study("99000001")
MESSAGES = Messages.load(ROOT / "prompts")


def worked_out(question, study, audience="parent"):
    operation = recognise(question)
    return operation and work_out(operation, study, operands(operation, study), audience, MESSAGES)


@pytest.mark.parametrize(
    ("study", "question", "text"),
    [
        (
            B12,
            "How many times higher was B12 in Canadian mothers than in Cambodian mothers?",
            "Mothers' blood vitamin B12: 348 pmol/L in Canada against 171 pmol/L in Cambodia, about 2.0 times as high.",
        ),
        (
            B12,
            "How many times higher was breast milk B12 in Canada?",
            "Breast milk vitamin B12: 347 pmol/L in Canada against 148 pmol/L in Cambodia, about 2.3 times as high.",
        ),
        (
            B12,
            "What was the difference in infant B12 between the two countries according to the paper?",
            "Babies' blood vitamin B12: 506 pmol/L in Canada against 357 pmol/L in Cambodia, a difference of "
            "149 pmol/L.",
        ),
        (
            B12,
            "By what percentage was babies' B12 higher in Canada?",
            "Babies' blood vitamin B12: 291 pmol/L in Canada against 145 pmol/L in Cambodia, about 101% higher.",
        ),
        (
            B12,
            "How much higher was mothers' B12 than babies' B12 in Canada?",
            "Vitamin B12 in Canada: 348 pmol/L in mothers against 291 pmol/L in babies, a difference of 57 pmol/L.",
        ),
        (
            B12,
            "How many more pairs were there in Canada than in Cambodia in the paper?",
            "Pairs studied: 124 in Canada against 69 in Cambodia, a difference of 55 pairs.",
        ),
        (
            B12,
            "Was the B12 of Cambodian mothers above 221 pmol/L?",
            "Mothers' blood vitamin B12 in Cambodia: 171 pmol/L, below 221 pmol/L.",
        ),
        (
            B12,
            "Was breast milk B12 in Cambodia below 0.3 nmol/L in the published abstract?",
            "Breast milk vitamin B12 in Cambodia: 317 pmol/L, above 0.3 nmol/L (its 95% CI includes 0.3 nmol/L).",
        ),
        (
            DROPS,
            "What is the difference in night sleep between the placebo and high dose groups?",
            "Toddlers' night sleep: 10.9 hours in the high dose group against 10.4 hours in the placebo group, "
            "a difference of 0.5 hours.",
        ),
        (
            DROPS,
            "how many times higher was vitamin D in the high dose than the low dose group",
            "Toddlers' blood vitamin D: 88 nmol/L in the high dose group against 63 nmol/L in the low dose group, "
            "about 1.4 times as high.",
        ),
    ],
)
@pytest.mark.parametrize("audience", ["parent", "clinician"])
def test_it_is_worked_out_from_two_cited_figures(study, question, text, audience):
    said = worked_out(question, study, audience)
    if audience == "parent":
        assert said.text.startswith(text)
    assert len({s.source for s in said.evidence}) == 1
    source = study.source(said.evidence[0].source)
    assert all(source.text[s.start : s.end] == s.text for s in said.evidence)
    # What stands in no quote is what was computed, or the cut-off that the reader named; nothing else.
    shown = set(unsupported(said.text, " ".join(s.text for s in said.evidence)))
    allowed = {n.value for text in (*said.computed, question) for n in numbers(text)}
    assert {next(numbers(figure)).value for figure in shown} <= allowed


def test_it_says_that_it_is_computed():
    question = "How many times higher was milk B12 in Canada?"
    assert "worked this out" in worked_out(question, B12).text
    assert "Computed" in worked_out(question, B12, "clinician").text


def test_that_refers_to_the_findings_before():
    operation = recognise("Is that above 221 pmol/L?")
    assert operands(operation, B12) == ()
    before = [f for f in B12.findings if f.value == 145]
    assert "145 pmol/L, below 221 pmol/L" in work_out(operation, B12, before, "parent", MESSAGES).text


@pytest.mark.parametrize(
    "question",
    [
        "What is the difference between B12 and folate?",
        "What's the difference between breast milk and formula?",
        "How much higher was birth weight in Canada?",
        "How many times higher was B12 in Norway?",
        "How many times higher was vitamin D in the high dose than the low dose group?",
        "Is my B12 above 221 pmol/L?",
        "How many times a day should I take B12?",
        "Was the B12 of Cambodian mothers above 221 pg/mL?",
        "What was the B12 of Cambodian mothers?",
    ],
)
def test_nothing_is_worked_out_from_other_questions(question):
    assert not worked_out(question, B12)


def test_three_groups_are_not_one_comparison():
    assert worked_out("How much higher was vitamin D?", DROPS) is None


@pytest.mark.parametrize(
    "question",
    [
        "how many babies in cambodia had low levels",
        "Proportion of Cambodian infants below 221 pmol/L?",
        "were any babies in Cambodia below the cut-off",
        "how many of the cambodian babies didn't get enough b12?",
        "Prevalence of insufficient B12, Cambodian infants?",
    ],
)
def test_the_share_that_falls_short_is_what_the_share_above_leaves(question):
    result = worked_out(question, B12)
    assert result.text.startswith("B12-sufficient (> 221 pmol/L), babies in Cambodia: 84%, so 16% were not. (I worked")
    assert result.computed == ("16%",)
    assert {f.value for f in result.findings} == {84}


@pytest.mark.parametrize(
    "question",
    [
        "Proportion of infants below 148 pmol/L?",  # another cut-off
        "How many infants were deficient?",  # more than short of sufficient
        "Did some of the mothers have low zinc?",
        "Share of mothers with low birth weight babies?",
        "How many pairs were below the threshold for anaemia?",
    ],
)
def test_no_share_is_worked_out_for_what_was_not_measured(question):
    assert worked_out(question, B12) is None
