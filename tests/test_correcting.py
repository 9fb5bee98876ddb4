"""What corrects a question that takes something for granted: figures, a head count, or a sentence that denies it."""

from pathlib import Path

import pytest

from assistant.compose.correcting import corrected
from assistant.compose.refusal import missing_name, missing_terms
from assistant.corpus import read_corpus
from assistant.figures import matching
from assistant.messages import Messages
from assistant.premises import denial, miscounted, unknown_cut_off

ROOT = Path(__file__).resolve().parents[1]
B12 = read_corpus(ROOT / "corpus").study("28287490")
MESSAGES = Messages.load(ROOT / "prompts")


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("why did the cambodian mothers have more b12 in their milk than us canadians??", {347, 148}),
        ("Why was infant B12 higher in Cambodia than in Canada?", {291, 145}),
        ("Given that Canadian mothers had lower B12, what do the authors advise?", {348, 171}),
    ],
)
def test_the_opposite_of_a_finding_is_corrected_by_its_figures(question, values):
    for audience in ("parent", "clinician"):
        found = corrected(question, B12, audience, MESSAGES)
        assert {f.value for f in found.findings} == values
        assert all(str(value) in found.drafts[0].text for value in values)


@pytest.mark.parametrize(
    "question",
    [
        "Why did the Canadian mothers have more B12 in their milk?",
        "Why did the Cambodian mothers have more children than the Canadian ones?",
        "Did the Cambodian babies have more B12 than the Canadian ones?",
    ],
)
def test_what_holds_or_is_not_taken_for_granted_is_not_corrected(question):
    assert not corrected(question, B12, "parent", MESSAGES)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("how much did the babies catch up after their mothers were given the b12 tablets", "giving anyone B12 suppl"),
        ("What B12 dose did the intervention arm receive?", "giving anyone B12 supplements"),
        ("Since the mothers were followed over time, when did milk B12 peak?", "at one point in time"),
    ],
)
def test_what_was_not_done_is_corrected_by_the_sentence_that_says_so(question, text):
    found = corrected(question, B12, "parent", MESSAGES)
    assert text in found.drafts[0].cites[0].text and not found.findings


@pytest.mark.parametrize(
    "question",
    [
        "DHA dose in the trial that the Canadian cohort was derived from?",
        "were any of the moms on metformin tablets",
        "Which foods are good sources?",
        "Do the authors advise supplements?",
        "Was milk B12 lower in Cambodia?",
    ],
)
def test_a_sentence_on_something_else_denies_nothing(question):
    assert denial(question, B12, "parent") is None


@pytest.mark.parametrize(
    ("question", "counted"),
    [
        ("Why were only 60 Cambodian babies tested?", "60 Cambodian babies"),
        ("what did the 45 mothers in vancouver eat", "45 mothers"),
        ("Were the 40 Canadian mothers younger than the 67 Cambodian mothers?", ""),
        ("Were the 107 pairs alike?", ""),
        ("Did more than 100 mothers take part?", ""),
        ("What about 12 week old babies?", ""),
        ("I run a ward of 30 mothers, does this hold for them?", ""),
    ],
)
def test_a_head_count_that_no_source_gives_is_noticed(question, counted):
    assert miscounted(question, B12) == counted


def test_a_wrong_head_count_is_corrected_by_the_right_one():
    found = corrected("Why were only 60 Cambodian babies tested?", B12, "parent", MESSAGES)
    assert {f.value for f in found.findings} == {40, 67}


@pytest.mark.parametrize(
    ("question", "cut_off"),
    [
        ("Proportion of Cambodian infants <148 pmol/L?", "a cut-off of 148 pmol/L"),
        ("How many babies were above 221 pmol/L?", ""),
        ("Was milk B12 lower than in Canada?", ""),
        ("is my level below 150 pmol/L bad", ""),
    ],
)
def test_a_cut_off_that_no_source_uses_is_noticed(question, cut_off):
    assert unknown_cut_off(question, B12) == cut_off


def test_an_average_does_not_tell_the_highest_of_any_one() -> None:
    assert not matching("What was the highest B12 of any baby in Vancouver?", B12)
    assert matching("What was the average B12 of the babies in Vancouver?", B12)


@pytest.mark.parametrize("name", ["Can", "Camb", "ASF"])
def test_a_short_name_of_what_the_study_spells_out_is_not_missing(name):
    assert missing_name(f"intake by {name} mothers", B12) == ""
    assert missing_terms(f"zinc intake by {name} mothers", B12) == "zinc"


def test_a_name_that_no_source_has_is_missing():
    assert missing_name("intake by Peruvian mothers", B12) == "Peruvian"
    assert missing_name("was MMA measured?", B12) == "MMA"
