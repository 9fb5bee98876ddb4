"""Texts come apart into sections, sentences and bullets, at the right places, with nothing lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.records import Section
from assistant.split import sections, spans

SENTENCES = {
    "p-value": ["Levels differed (p<0.001).", "Age did not."],
    "versus": ["Iron was higher (348 pmol/L vs. 171 pmol/L; p<0.001) and lower later.", "That is all."],
    "e.g.": ["Dietary patterns (e.g., animal-source food intake) matter.", "So does age."],
    "e.g. without comma": ["Some foods, e.g. Brazil nuts, were left out.", "Others were not."],
    "i.e.": ["The last group, i.e. Group C, left.", "Nobody minded."],
    "head count": ["It was run in Canada (n=40), and Cambodia (n=67).", "It was small."],
    "decimals": ["The ratio was 2.03 in one and .5 in the other.", "The r was 0.51."],
    "range with a dash": ["They were seen between 3–27 weeks.", "The others at 3-4 weeks."],
    "et al.": ["Allen et al. reported the same.", "Others did not."],
    "approx.": ["It held approx. 3 mg.", "Then it fell."],
    "Dr.": ["Dr. Chebaya led it.", "It took a year."],
    "U.S.": ["In the U.S. study, iron was low.", "Elsewhere it was not."],
    "Fig.": ["See Fig. 2 for the rest.", "It is long."],
    "no.": ["The trial, No. 12345, ended.", "It had begun in 2015."],
    "question and cry": ["Did it help?", "It did!", "So they say."],
    "closing quote": ["They called it “a first step.”", "Then they stopped."],
    "closing bracket": ["It rose.", "(This was expected.)", "Then it fell."],
    "ellipsis": ["It rose … and then fell.", "Later it rose."],
    "degrees": ["Samples lay at −80 °C until use.", "They were thawed once."],
    "organism": ["E. coli was found in 3 samples.", "No S. aureus was."],
    "confidence interval": ["The mean was 698 pmol/L (95% CI 648–747).", "It fell."],
    "DOI": ["It is at https://doi.org/10.3390/nu9030270 now.", "Read it."],
}


@pytest.mark.parametrize("case", SENTENCES)
def test_sentences_end_where_they_end(case: str) -> None:
    text = " ".join(SENTENCES[case])
    assert [text[a:b] for a, b in spans(text)] == SENTENCES[case]


MARKDOWN = """Before any heading.

# Title

## First

A paragraph
over two lines. And more.
- Mothers: Had more iron
  in their blood. It stayed.
* no label here
1. Numbered: one
2) numbered two

## Second ##
•   Dot: last
"""


def test_bullets_labels_and_paragraphs() -> None:
    found = sections(MARKDOWN, "1", "summary", "Summary")
    assert [section.title for section in found] == ["Summary", "First", "Second"]
    told = [(s.text, s.label, s.bullet) for section in found for s in section.sentences]
    assert told == [
        ("Before any heading.", "", False),
        ("A paragraph\nover two lines.", "", False),
        ("And more.", "", False),
        ("Mothers: Had more iron\n  in their blood.", "Mothers", True),
        ("It stayed.", "Mothers", True),
        ("no label here", "", True),
        ("Numbered: one", "Numbered", True),
        ("numbered two", "", True),
        ("Dot: last", "Dot", True),
    ]
    bodies = [s.body for s in found[1].sentences if s.label]
    assert bodies == ["Had more iron\n  in their blood.", "It stayed.", "one"]
    assert found[1].sentences[0].in_context == "First: A paragraph over two lines."


def check(text: str) -> tuple[Section, ...]:
    """Check what must hold of any text, and return its sections."""
    found = sections(text, "1", "summary", "Summary")
    at = 0
    for section in found:
        for sentence in section.sentences:
            assert text[sentence.start : sentence.end] == sentence.text
            assert sentence.text == sentence.text.strip() != ""
            assert at <= sentence.start and section.start <= sentence.start and sentence.end <= section.end
            at = sentence.end
    return found


_PIECES = st.sampled_from(
    "It rose.|p<0.001|348 pmol/L vs. 171|(n=40)|e.g.|3–27|\n|\n\n|- |* |1. |## A\n|Label: |# |"
    "“quoted.”|?|!|…|\t| |. |..|"
    "i.e. |Dr. |U.S. |0.5|(|)|[1]|&|<b>|日本語。|é|🙂|:|;|A|b".split("|")
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.lists(_PIECES, max_size=30).map("".join), st.text(st.characters(exclude_categories=["C"]), max_size=60)
    )
)
@example("A. A. A.")
@example("- \n- x")
@example("(.) (.) (.)")
def test_offsets_hold_and_no_word_is_lost_in_any_text(text: str) -> None:
    found = check(text)
    kept = "".join(s.text for section in found for s in section.sentences)
    outside = re.sub(r"^#{1,6}[ \t]+.*$", "", text, flags=re.M)
    outside = re.sub(r"^[ \t]*(?:[-*•]|\d{1,3}[.)])(?=[ \t])", "", outside, flags=re.M)
    assert sum(map(str.isalnum, kept)) >= sum(map(str.isalnum, outside))
