"""Suites of finding the right passage or the right study: COVID-QA and SciFact."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.corpus import Corpus
from assistant.evaluation.collection import PLAIN, Collection, Ranked
from assistant.evaluation.metrics import mean, ndcg
from assistant.evaluation.report import Report, Table
from assistant.evaluation.setup import Setup, shown
from assistant.evidence.data import scifact_abstracts
from assistant.index import Chunk
from assistant.records import Section, Sentence, Source, Study
from assistant.retrieve import corpus_chunks, passages
from assistant.split import sections

SYSTEMS = (*PLAIN, "fused")
TARGETS = {"covidqa": 0.63, "scifact": 0.72}
_PASSAGES = 100


def covidqa(setup: Setup) -> Report:
    """Return passage hit@1 on COVID-QA, with the paper known and over all papers.

    A passage is right if it holds the first character of an answer.
    """
    papers = [a["paragraphs"][0] for a in json.loads(setup.file("qa/covidqa.json").read_text("utf-8"))["data"]]
    chunks = [
        Chunk(f"{pmid}/{start}-{_end(section, start, text)}", pmid, "passage", text)
        for paper in shown(papers, "splitting")
        for pmid in [str(paper["document_id"])]
        for section in sections(paper["context"], pmid, "published", "Published")
        for start, text in passages(section)
    ]
    asked = setup.drawn([(str(paper["document_id"]), question) for paper in papers for question in paper["qas"]])
    hits: dict[str, dict[str, list[bool]]] = {name: {"known": [], "all": []} for name in SYSTEMS}
    with Collection(chunks, setup.embedder) as collection:
        setup.embedder.encode([question["question"] for _, question in asked])
        for pmid, question in shown(asked, "ranking"):
            starts = [answer["answer_start"] for answer in question["answers"]]
            for scope, only in (("known", pmid), ("all", None)):
                for name, ranked in collection.ranked(question["question"], 1, only).items():
                    hits[name][scope].append(_holds(ranked[0][0], pmid, starts))
    figures = {name: {scope: mean(values) for scope, values in scopes.items()} for name, scopes in hits.items()}
    rows = tuple((name, values["known"], values["all"]) for name, values in figures.items())
    about = f"{len(asked)} questions, {len(papers)} papers, {len(chunks)} passages"
    target = {"fused.known": TARGETS["covidqa"]}
    table = Table("hit@1", ("", "paper known", "all papers"), rows)
    return Report("covidqa", about, {"hit@1": figures, "target": target}, [table])


def _end(section: Section, start: int, text: str) -> int:
    """Return the offset after a passage's last sentence; the passage joins sentences by one blank."""
    length = -1
    for sentence in section.sentences:
        if sentence.start >= start:
            length += 1 + len(sentence.text)
            if length >= len(text):
                return sentence.end
    return section.end


def _holds(chunk: Chunk, pmid: str, starts: list[int]) -> bool:
    """Return whether a passage of the paper holds the first character of an answer."""
    first, _, last = chunk.id.rpartition("/")[2].partition("-")
    return chunk.pmid == pmid and any(int(first) <= start < int(last) for start in starts)


def scifact(setup: Setup) -> Report:
    """Return nDCG@10 on SciFact: which of 5,183 abstracts bears on a claim of the validation set.

    An abstract scores as its best passage; passages are those that this project indexes, title first.
    """
    setup.file("qa/scifact/corpus_train.csv")
    studies = tuple(_study(doc, *abstract) for doc, abstract in scifact_abstracts(setup.data).items())
    chunks = [chunk for chunk in corpus_chunks(Corpus(studies)) if chunk.kind == "passage"]
    relevant: dict[str, set[str]] = {}
    for row in _claims(setup):
        relevant.setdefault(row["claim"], set()).update(re.findall(r"\d+", row["cited_doc_ids"]))
    claims = setup.drawn(sorted(relevant))
    gains: dict[str, list[float]] = {name: [] for name in SYSTEMS}
    with Collection(chunks, setup.embedder) as collection:
        setup.embedder.encode(claims)
        for claim in shown(claims, "ranking"):
            for name, ranked in collection.ranked(claim, _PASSAGES).items():
                gains[name].append(ndcg(_documents(ranked), relevant[claim]))
    figures = {name: mean(values) for name, values in gains.items()}
    about = f"{len(claims)} claims, {len(studies)} abstracts, {len(chunks)} passages"
    table = Table("nDCG@10", ("", "nDCG@10"), tuple(figures.items()))
    return Report("scifact", about, {"ndcg@10": figures, "target": {"fused": TARGETS["scifact"]}}, [table])


def _documents(ranked: Ranked) -> list[str]:
    """Return documents in order of their best passage."""
    return list(dict.fromkeys(chunk.pmid for chunk, _ in ranked))


def _claims(setup: Setup) -> Iterator[Mapping[str, Any]]:
    with setup.file("qa/scifact/claims_validation.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _study(doc: str, title: str, lines: tuple[str, ...]) -> Study:
    """Return an abstract as a study with one source."""
    sentences, at = [], 0
    for line in lines:
        sentences.append(Sentence(doc, "published", "Abstract", line, at, at + len(line)))
        at += len(line) + 1
    source = Source("published", " ".join(lines), (Section("Abstract", 0, at, tuple(sentences)),))
    return Study(doc, title, (source,), Source("study", "", ()))
