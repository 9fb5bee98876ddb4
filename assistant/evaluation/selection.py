"""Suites of choosing the sentence that answers: COVID-QA's held-out papers, and BioASQ's snippets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.compose.extractive import Candidate
from assistant.evaluation.collection import Collection, Ranked
from assistant.evaluation.metrics import mean, reciprocal_rank
from assistant.evaluation.report import Report, Table
from assistant.evaluation.setup import Setup, shown
from assistant.evidence import CANDIDATES, Evidence
from assistant.evidence.data import covidqa
from assistant.index import Chunk
from assistant.records import Sentence
from assistant.split import spans

_WHOLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the ids of the sentences that answer it, and the document to look in (None for all)."""

    question: str
    answers: frozenset[str]
    document: str | None


def covidqa_sentences(setup: Setup) -> Report:
    """Return how often the sentence that holds the answer comes first among all of its paper's, held-out papers."""
    setup.file("qa/covidqa.json")
    chunks: dict[str, Chunk] = {}
    asked = []
    for example in covidqa(setup.data, held_out=True, window=_WHOLE):
        for at, sentence in enumerate(example.sentences):
            name = f"{example.document}/{at}"
            chunks.setdefault(name, Chunk(name, example.document, "sentence", sentence))
        answers = frozenset(f"{example.document}/{at}" for at in example.answers)
        asked.append(Asked(example.question, answers, example.document))
    return _report("covidqa-sentences", setup, list(chunks.values()), asked, "each among the sentences of its paper")


def bioasq(setup: Setup) -> Report:
    """Return how often a sentence of a question's own snippets comes first among those of all questions' snippets."""
    chunks: dict[tuple[str, str], Chunk] = {}
    asked = []
    for file in sorted(setup.file("qa/bioasq").glob("11B*_golden.json")):
        for question in json.loads(file.read_text("utf-8"))["questions"]:
            answers = set()
            for snippet in question.get("snippets", ()):
                pmid = snippet["document"].rpartition("/")[2]
                for start, end in spans(snippet["text"]):
                    sentence = snippet["text"][start:end]
                    name = f"{pmid}/{len(chunks)}"
                    answers.add(chunks.setdefault((pmid, sentence), Chunk(name, pmid, "sentence", sentence)).id)
            if answers:
                asked.append(Asked(question["body"], frozenset(answers), None))
    return _report("bioasq", setup, list(chunks.values()), asked, "each among the sentences of all snippets of 11B")


def _report(name: str, setup: Setup, chunks: Sequence[Chunk], asked: Sequence[Asked], among: str) -> Report:
    """Return hit@1, hit@3 and mean reciprocal rank of the plain rankings, ours, and ours with the evidence."""
    evidence = setup.evidence()
    taken = setup.drawn(asked)
    ranks: dict[str, list[float]] = {}
    with Collection(chunks, setup.embedder) as collection:
        setup.embedder.encode([item.question for item in taken])
        for item in shown(taken, "ranking"):
            rankings = collection.ranked(item.question, len(chunks) if item.document else 100, item.document)
            rankings |= reranked(item.question, rankings["fused"], evidence)
            for system, ranked in rankings.items():
                ranks.setdefault(system, []).append(reciprocal_rank(_names(ranked), item.answers))
    figures = {
        system: {
            "hit@1": mean([value == 1 for value in values]),
            "hit@3": mean([value >= 1 / 3 for value in values]),
            "mrr": mean(values),
        }
        for system, values in ranks.items()
    }
    rows = tuple((system, found["hit@1"], found["hit@3"], found["mrr"]) for system, found in figures.items())
    about = f"{len(taken)} questions, {len(chunks)} sentences, {among}; evidence re-ranks the {CANDIDATES} best fused"
    return Report(name, about, figures, [Table("the answering sentence", ("", "hit@1", "hit@3", "MRR"), rows)])


def reranked(question: str, ranked: Ranked, evidence: Evidence) -> dict[str, Ranked]:
    """Return a ranking with its first `CANDIDATES` in another order, the rest behind them.

    "evidence" is by the evidence alone, "both" by evidence and retrieval together, as replies are composed.
    """
    head, tail = ranked[:CANDIDATES], ranked[CANDIDATES:]
    judged = evidence.judge(question, [chunk.text for chunk, _ in head]).sentences
    both = [Candidate(_sentence(chunk), p, score).rank for (chunk, score), p in zip(head, judged, strict=True)]
    return {"evidence": _by(head, judged) + tail, "both": _by(head, both) + tail}


def _by(ranked: Ranked, scores: Sequence[float]) -> Ranked:
    order = sorted(range(len(ranked)), key=lambda at: -scores[at])
    return [(ranked[at][0], scores[at]) for at in order]


def _sentence(chunk: Chunk) -> Sentence:
    return Sentence(chunk.pmid, "published", "", chunk.text, 0, len(chunk.text))


def _names(ranked: Iterable[tuple[Chunk, float]]) -> list[str]:
    return [chunk.id for chunk, _ in ranked]
