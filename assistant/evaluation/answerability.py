"""Suites of knowing when there is no answer: SQuAD 2.0, COVID-QA without the right paper, and questions of our own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.evaluation.collection import Collection
from assistant.evaluation.metrics import (
    auc,
    best_threshold,
    calibration_error,
    diagram,
    macro_f1,
    mean,
    refused_at,
    reliability,
)
from assistant.evaluation.report import Cell, Report, Table
from assistant.evaluation.setup import Setup, shown
from assistant.evidence import CANDIDATES, Evidence, data
from assistant.index import Chunk

LOST = 0.04
"""Share of answerable questions that may be lost. Source: the target, at least 90 % of the others refused at that."""
_POOL = 400


@dataclass
class Scores:
    """Each system's score of each question, higher where an answer is likelier, and whether there is one."""

    answerable: list[bool] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    of: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, scores: Mapping[str, float], answerable: bool, document: str, kind: str = "") -> None:
        """Note one question."""
        for system, score in scores.items():
            self.of[system].append(score)
        self.answerable.append(answerable)
        self.documents.append(document)
        self.kinds.append(kind)

    def sides(self, system: str) -> tuple[list[float], list[float]]:
        """Return a system's scores of the answerable questions, and of the others."""
        pairs = list(zip(self.of[system], self.answerable, strict=True))
        return [score for score, yes in pairs if yes], [score for score, yes in pairs if not yes]

    def figures(self) -> dict[str, dict[str, float]]:
        """Return for each system the area under the ROC curve, and what is refused where `LOST` are lost."""
        return {
            system: {"auc": auc(*self.sides(system)), "refused_at_4_lost": refused_at(*self.sides(system), LOST)}
            for system in self.of
        }


def squad2(setup: Setup) -> Report:
    """Return how well questions without an answer in their paragraph are told from the others, held-out articles.

    The threshold for an article's F1 is the best one of the other articles.
    """
    examples = data.squad(setup.file("qa/squad2-half-dev.json"), data.HELD_OUT_SQUAD)
    scores = _in_own_text(setup, setup.drawn(examples), setup.evidence())
    figures = scores.figures()
    for system in figures:
        figures[system]["macro_f1"] = _f1_elsewhere(scores, system)
    about = f"{_counts(scores)} on {len(set(scores.documents))} held-out articles"
    return Report("squad2", about, figures, [_table(figures, ("macro_f1",))])


def _f1_elsewhere(scores: Scores, system: str) -> float:
    """Return macro-F1 over all questions, each decided by the threshold that is best on the other documents."""
    margins = [0.0] * len(scores.answerable)
    for document in set(scores.documents):
        others = [at for at, name in enumerate(scores.documents) if name != document]
        if not others:
            return float("nan")
        cut = best_threshold([scores.of[system][at] for at in others], [scores.answerable[at] for at in others])
        for at, name in enumerate(scores.documents):
            if name == document:
                margins[at] = scores.of[system][at] - cut
    return macro_f1(margins, scores.answerable, 0.0)


def covidqa_answerability(setup: Setup) -> Report:
    """Return how well a question is told apart with its paper among the held-out ones, and with its paper taken out."""
    setup.file("qa/covidqa.json")
    examples = data.covidqa(setup.data, held_out=True, window=1_000_000)
    papers = {example.document: example.sentences for example in examples}
    chunks = [
        Chunk(f"{name}/{at}", name, "sentence", text) for name, lines in papers.items() for at, text in enumerate(lines)
    ]
    evidence, scores = setup.evidence(), Scores()
    taken = setup.drawn(examples)
    with Collection(chunks, setup.embedder) as collection:
        setup.embedder.encode([example.question for example in taken])
        for example in shown(taken, "judging"):
            rankings = collection.ranked(example.question, _POOL)
            for with_paper in (True, False):
                kept = {
                    system: [(c, score) for c, score in ranked if with_paper or c.pmid != example.document]
                    for system, ranked in rankings.items()
                }
                found = {system: ranked[0][1] if ranked else 0.0 for system, ranked in kept.items()}
                texts = [chunk.text for chunk, _ in kept["fused"][:CANDIDATES]]
                found["evidence"] = evidence.judge(example.question, texts).answered
                scores.add(found, with_paper, example.document)
    figures = scores.figures()
    about = f"{len(taken)} questions with and without their paper among {len(papers)} held-out papers"
    return Report("covidqa-answerability", about, figures, [_table(figures)])


def written(setup: Setup) -> Report:
    """Return how the questions written for this project and held out are told apart, and what the threshold refuses."""
    setup.file("qa/scifact/corpus_train.csv")
    evidence = setup.evidence()
    scores = _in_own_text(setup, setup.drawn(data.written_split(setup.data).test), evidence)
    figures = scores.figures()
    judged, yes = scores.of["evidence"], scores.answerable
    shipped = {
        "threshold": evidence.threshold,
        "unanswerable_refused": mean([p < evidence.threshold for p in scores.sides("evidence")[1]]),
        "answerable_lost": mean([p < evidence.threshold for p in scores.sides("evidence")[0]]),
        "calibration_error": calibration_error(reliability(judged, yes)),
    }
    kinds: dict[str, list[bool]] = {}
    for kind, p, answerable in zip(scores.kinds, judged, yes, strict=True):
        kinds.setdefault(f"{kind}, {'answerable' if answerable else 'not'}", []).append(
            (p >= evidence.threshold) == answerable
        )
    bars = reliability(judged, yes)
    tables = [
        _table(figures),
        Table("evidence at the shipped threshold", ("figure", "value"), tuple(shipped.items())),
        Table(
            "decided rightly, by kind",
            ("kind", "questions", "right"),
            tuple((kind, len(right), mean(right)) for kind, right in sorted(kinds.items())),
        ),
        diagram("reliability of the evidence", bars, "questions", "answerable"),
    ]
    by_kind = {kind: {"questions": len(right), "right": mean(right)} for kind, right in sorted(kinds.items())}
    about = f"{_counts(scores)} on {len(set(scores.documents))} texts that no question of training is about"
    return Report("written", about, {**figures, "shipped": shipped, "kinds": by_kind}, tables)


def _in_own_text(setup: Setup, examples: Sequence[data.Example], evidence: Evidence) -> Scores:
    """Return the scores of questions, each asked of the sentences of its own text alone."""
    texts: dict[tuple[str, ...], str] = {}
    for example in examples:
        texts.setdefault(example.sentences, f"{example.document}#{len(texts)}")
    chunks = [
        Chunk(f"{name}/{at}", name, "sentence", text) for lines, name in texts.items() for at, text in enumerate(lines)
    ]
    scores = Scores()
    with Collection(chunks, setup.embedder) as collection:
        setup.embedder.encode([example.question for example in examples])
        for example in shown(examples, "judging"):
            rankings = collection.ranked(example.question, CANDIDATES, texts[example.sentences])
            found = {system: ranked[0][1] for system, ranked in rankings.items()}
            candidates = [chunk.text for chunk, _ in rankings["fused"]]
            found["evidence"] = evidence.judge(example.question, candidates).answered
            scores.add(found, bool(example.answers), example.document, example.kind)
    return scores


def _counts(scores: Scores) -> str:
    answerable = sum(scores.answerable)
    return f"{answerable} answerable and {len(scores.answerable) - answerable} unanswerable questions"


def _table(figures: Mapping[str, Mapping[str, float]], more: Sequence[str] = ()) -> Table:
    header = ("", "AUC", "refused at 4 % lost", *(name.replace("_", "-") for name in more))
    keys = ("auc", "refused_at_4_lost", *more)
    rows: list[tuple[Cell, ...]] = [(system, *(values[key] for key in keys)) for system, values in figures.items()]
    return Table("is there an answer?", header, tuple(rows))
