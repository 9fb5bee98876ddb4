"""Each row on which page and paper disagree, asked of the assistant itself: both sides are shown, both cited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from assistant import Assistant, Settings

ROWS = {
    "pairs Canada": ("How many pairs took part in Canada?", "40", "124"),
    "pairs Cambodia": ("How many pairs took part in Cambodia?", "67", "69"),
    "mothers Canada": ("What was the B12 level of the mothers in Canada?", "348", "698"),
    "mothers Cambodia": ("What was the B12 level of the mothers in Cambodia?", "171", "620"),
    "infants Canada": ("What was the B12 level of the babies in Canada?", "291", "506"),
    "infants Cambodia": ("What was the B12 level of the babies in Cambodia?", "145", "357"),
    "milk Canada": ("What was the B12 level of breast milk in Canada?", "347", "452"),
    "milk Cambodia": ("What was the B12 level of breast milk in Cambodia?", "148", "317"),
    "correlation Cambodia": ("What was the mother–infant correlation in Cambodia?", "0.20", "link|correlated"),
    "supplements": (
        "Were the Canadian mothers given B12 supplements?",
        "not supplemented|No vitamin B12",
        "supplemented",
    ),
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    index: Path = tmp_path_factory.mktemp("both-sides")
    with Assistant.open(Settings(corpus=ROOT / "corpus", index=index)) as opened:
        yield opened


@pytest.mark.model
@pytest.mark.parametrize("audience", ["parent", "clinician"])
@pytest.mark.parametrize("row", ROWS)
def test_both_sides_are_shown_and_cited(row: str, audience: str, assistant: Assistant) -> None:
    question, page, published = ROWS[row]
    answer = assistant.ask(question, audience=audience)  # type: ignore[arg-type]
    assert answer.outcome == "answered"
    assert any(words in answer.text for words in page.split("|")), answer.text
    assert any(words in answer.text for words in published.split("|")), answer.text
    assert "study page" in answer.text and "published paper" in answer.text
    assert {"published"} < {citation.source for citation in answer.citations}
    study = assistant.corpus.study("28287490")
    for citation in answer.citations:
        assert study.source(citation.source).text[citation.start : citation.end] == citation.quote


@pytest.mark.model
def test_what_page_and_paper_agree_on_is_no_conflict(assistant: Assistant) -> None:
    answer = assistant.ask("What was the mother–infant correlation in Canada?", audience="clinician")
    assert "0.51" in answer.text
    assert not any(c.cohort == "Canada" and "correlation" in c.measure and c.who == "dyad" for c in answer.conflicts)
