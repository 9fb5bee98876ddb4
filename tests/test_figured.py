"""Figures that correct what a question takes for granted."""

from pathlib import Path

import pytest

from assistant.compose.figured import corrected
from assistant.corpus import read_corpus
from assistant.messages import Messages

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
