"""Dense and lexical scores over the same chunks, fused; studies kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FINDINGS, TECHNICAL, CorpusFolder
from fake_models import FakeEmbedder

from assistant.corpus import Corpus, read_corpus
from assistant.records import Hit
from assistant.retrieve import Retriever, corpus_chunks, passages


@pytest.fixture
def corpus(corpus_folder: CorpusFolder) -> Corpus:
    corpus_folder.add("1001")
    corpus_folder.add(
        "1002",
        study='pmid = "1002"\ntitle = "Vitamin D drops and sleep"\n',
        technical=TECHNICAL.replace("iron", "vitamin D").replace("Iron", "Vitamin D"),
        findings=FINDINGS,
        summary="# Sleep\n\nBabies with drops slept longer. They cried less.\n",
    )
    return read_corpus(corpus_folder.path)


@pytest.fixture
def retriever(corpus: Corpus, tmp_path: Path) -> Iterator[Retriever]:
    made = Retriever(corpus, FakeEmbedder(), tmp_path / "index")
    yield made
    made.close()


def search(retriever: Retriever, question: str, k: int = 10, pmid: str | None = None) -> tuple[Hit, ...]:
    """Search for a question."""
    return retriever.search(question, FakeEmbedder().encode([question])[0], k, pmid)


def test_the_sentence_that_says_it_comes_first(retriever: Retriever) -> None:
    best = search(retriever, "Who slept longer with drops?")[0]
    assert (best.pmid, best.source, best.section, best.quote) == (
        "1002",
        "summary",
        "Sleep",
        "Babies with drops slept longer.",
    )


def test_hits_are_ranked_counted_and_stand_in_the_source(retriever: Retriever, corpus: Corpus) -> None:
    hits = search(retriever, "milk iron in Peru", k=4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        assert corpus.study(hit.pmid).source(hit.source).text[hit.start : hit.end] == hit.quote
        assert 0 <= hit.score <= 2.01


def test_a_study_is_searched_alone(retriever: Retriever) -> None:
    for pmid in ("1001", "1002"):
        assert {hit.pmid for hit in search(retriever, "Small groups of mothers", pmid=pmid)} == {pmid}


def test_a_word_alone_finds_what_the_vector_misses(retriever: Retriever) -> None:
    question = "slept"
    elsewhere = FakeEmbedder().encode(["Small groups only 74 mothers took part"])[0]
    assert any("slept" in hit.quote for hit in retriever.search(question, elsewhere, 3))


def test_the_study_for_a_question(retriever: Retriever) -> None:
    for question, pmid in (("iron in milk", "1001"), ("vitamin D drops and sleep", "1002")):
        assert retriever.study_for(question, FakeEmbedder().encode([question])[0]) == pmid


def test_every_sentence_is_indexed_once_in_its_section(corpus: Corpus) -> None:
    chunks = list(corpus_chunks(corpus))
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    sentences = [chunk.text for chunk in chunks if chunk.kind == "sentence"]
    assert sentences == [s.in_context for study in corpus.studies for s in study.sentences]


def test_passages_are_whole_sentences_and_leave_none_out(corpus: Corpus) -> None:
    for study in corpus.studies:
        for source in study.sources:
            for section in source.sections:
                for characters in (1, 60, 900):
                    told = " ".join(text for _, text in passages(section, characters))
                    assert all(s.text in told for s in section.sentences)
                    starts = {s.start for s in section.sentences}
                    assert all(start in starts for start, _ in passages(section, characters))
