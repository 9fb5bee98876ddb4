"""The opening of a study's own summary, for "what did they find?", and the group beside the one that is told of."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import TECHNICAL, CorpusFolder, open_with_fakes

from assistant.compose.overall import asks_for_all, overall
from assistant.compose.siblings import with_sibling
from assistant.config import Settings
from assistant.records import Study


@pytest.mark.parametrize(
    "question",
    ["what did they find?", "In a sentence or two, what did the researchers find?", "main results?", "tl;dr"],
)
def test_the_whole_is_told_from_the_readers_source(question: str, study: Study) -> None:
    assert asks_for_all(question)
    for audience, source in (("parent", "summary"), ("clinician", "technical")):
        drafts = overall(study, audience)  # type: ignore[arg-type]
        assert 1 <= len(drafts) <= 3
        assert {sentence.source for draft in drafts for sentence in draft.cites} == {source}


@pytest.mark.parametrize(
    "question",
    ["What did they find in milk?", "summary of the limitations", "what is the point of screening", "who found it", ""],
)
def test_a_question_for_something_is_not_for_the_whole(question: str) -> None:
    assert not asks_for_all(question)


def test_what_is_said_of_one_group_brings_the_other(study: Study) -> None:
    (one,) = [
        s
        for s in study.sentences
        if s.text == "How long: The Canadian group was assessed at 8 weeks after giving birth."
    ]
    both = with_sibling((one,), "when were the samples taken?", study)
    assert [("Canad" in s.text, "Cambod" in s.text) for s in both] == [(True, False), (False, True)]
    assert with_sibling((one,), "when were the samples taken in Canada?", study) == (one,)


def test_what_is_said_of_another_group_alone_is_no_answer(corpus_folder: CorpusFolder, tmp_path: Path) -> None:
    sleep = "Mothers in Peru slept nine hours a night. Mothers in Nepal walked to town."
    corpus_folder.add(technical=f"{TECHNICAL}\n## Sleep\n\n{sleep}\n")
    with open_with_fakes(Settings(corpus=corpus_folder.path, index=tmp_path / "index")) as assistant:
        of_peru, of_nepal = (assistant.ask(f"How many hours a night slept mothers in {c}?") for c in ("Peru", "Nepal"))
    assert of_peru.outcome == "answered" and "nine hours" in of_peru.text
    assert of_nepal.outcome == "not_in_study" and "nine hours" not in of_nepal.text
