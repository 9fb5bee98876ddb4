"""Questions about the record are answered from it, cited; others aren't taken for one."""

from __future__ import annotations

import pytest

from assistant.bibliography import drafts, fields_asked
from assistant.records import Study
from assistant.verify import Verifier, faults

ASKED = {
    "What is the title of this study?": ("title", "Exploratory Analysis"),
    "what's the paper called": ("title", "Exploratory Analysis"),
    "Who wrote it?": ("authors", "Whitfield KC"),
    "Who are the authors?": ("authors", "Chebaya P"),
    "who did the study": ("authors", "Green TJ"),
    "first author?": ("authors", "Chebaya P"),
    "Which journal was it in?": ("journal", "Nutrients"),
    "where was it published?": ("journal", "Nutrients"),
    "What year was it published?": ("year", "2017"),
    "When was the study published?": ("year", "12 March 2017"),
    "how old is this study?": ("year", "2017"),
    "DOI?": ("doi", "10.3390/nu9030270"),
    "What is the PubMed ID?": ("doi", "28287490"),
    "Where can I read the full paper?": ("links", "https://doi.org/10.3390/nu9030270"),
    "is there a link to the study": ("links", "https://pubmed.ncbi.nlm.nih.gov/28287490/"),
    "What licence is it under?": ("licence", "CC BY 4.0"),
}


@pytest.mark.parametrize("question", ASKED)
def test_the_record_answers_cited(question: str, study: Study) -> None:
    field, value = ASKED[question]
    assert field in fields_asked(question)
    made = drafts(question, study)
    assert any(value in draft.text for draft in made), made
    for draft in made:
        assert faults(draft, study) == []
    cited = [c for statement in Verifier(study).statements(made) for c in statement.citations]
    assert cited and any(value in c.quote or field == "title" for c in cited)


def test_a_whole_reference(study: Study) -> None:
    told = " ".join(draft.text for draft in drafts("How do I cite this?", study))
    assert all(part in told for part in ("Exploratory Analysis", "Chebaya P", "Nutrients", "10.3390/nu9030270")), told


@pytest.mark.parametrize(
    "question",
    [
        "What do the authors conclude?",
        "How much B12 was in breast milk?",
        "Where did the mothers live?",
        "Who took part?",
        "Where can I find B12 in food?",
        "Did the authors report funding?",
        "When were the infants seen?",
        "How old were the babies?",
    ],
)
def test_a_question_about_the_findings_is_none_about_the_record(question: str, study: Study) -> None:
    assert drafts(question, study) == []


def test_another_year_is_not_the_year_of_publication(study: Study) -> None:
    assert drafts("What year were the samples taken?", study) == []


def test_a_record_without_a_field_says_nothing_of_it(fake_assistant: object, study: Study) -> None:
    small = fake_assistant.corpus.study("1001")  # type: ignore[attr-defined]
    assert "Peru and Nepal" in drafts("What is the title?", small)[0].text
    for question in ("Who are the authors?", "Which journal?", "What year was it published?", "What licence?"):
        assert drafts(question, small) == []


@pytest.mark.parametrize(
    "question",
    [
        "Do the authors treat that as a problem?",
        "tell me what the authors concluded",
        "name two limitations the authors mention",
        "Who do the authors think should take supplements?",
        "Is this old enough for solid food?",
        "Is it recent infection that lowers it?",
        "What year is the data from?",
        "is there a link between B12 in mothers and infants",
        "what volume of milk was collected?",
        "what's the issue, is milk low?",
        "I'm writing for a parenting magazine. What did they find?",
    ],
)
def test_what_was_studied_is_no_question_about_the_record(question: str) -> None:
    assert fields_asked(question) == ()
