"""A corpus of two studies: a new one needs no code, and no answer mixes the two."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from conftest import ROOT

from assistant import Assistant, Settings

B12, TODDLERS = "28287490", "99000001"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("two")
    shutil.copytree(ROOT / "corpus" / B12, folder / "corpus" / B12)
    shutil.copytree(ROOT / "tests" / "data" / "corpus" / TODDLERS, folder / "corpus" / TODDLERS)
    with Assistant.open(Settings(corpus=folder / "corpus", index=folder / "index")) as assistant:
        yield assistant


@pytest.mark.model
@pytest.mark.parametrize("audience", ["parent", "clinician"])
@pytest.mark.parametrize(
    ("question", "pmid", "figures"),
    [
        ("What was the mean vitamin D in the high dose group?", TODDLERS, ("88",)),
        ("How many toddlers were in each group?", TODDLERS, ("52", "50", "49")),
        ("What was the ferritin level in the placebo group?", TODDLERS, ("24",)),
        ("What was the milk B12 in Cambodia?", B12, ("148",)),
        ("How many mother-infant pairs took part?", B12, ("40", "67")),
    ],
    ids=["vitamin D", "toddlers", "ferritin", "milk", "pairs"],
)
def test_a_question_is_answered_from_its_own_study(
    question: str, pmid: str, figures: tuple[str, ...], audience: str, both: Assistant
) -> None:
    answer = both.ask(question, audience=audience)  # type: ignore[arg-type]
    assert answer.outcome == "answered"
    assert {citation.pmid for citation in answer.citations} == {pmid}
    assert all(figure in answer.text for figure in figures), answer.text


@pytest.mark.model
def test_a_conflict_of_the_second_study_is_found_and_its_chart_drawn(both: Assistant) -> None:
    answer = both.ask("What was the mean vitamin D in each group?", study=TODDLERS, audience="clinician")
    assert {(c.who, c.cohort) for c in answer.conflicts} >= {("toddler", "High dose")}
    assert "74" in answer.text and "88" in answer.text
    assert answer.chart("svg").startswith(b"<svg")
    assert answer.chart("png").startswith(b"\x89PNG")


@pytest.mark.model
def test_what_only_the_other_study_says_is_not_said(both: Assistant) -> None:
    answer = both.ask("What was the milk B12 in Cambodia?", study=TODDLERS)
    assert answer.outcome != "answered" and "148" not in answer.text
    assert {citation.pmid for citation in answer.citations} <= {TODDLERS}


@pytest.mark.model
@pytest.mark.parametrize("question", ["Why is B12 important for babies?", "Did the mothers smoke?", "hello"])
def test_an_answer_that_touches_no_conflict_shows_none(question: str, both: Assistant) -> None:
    answer = both.ask(question, study=B12)
    assert answer.conflicts == () and "don't agree" not in answer.text
