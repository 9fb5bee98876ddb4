"""What a model may say of a study, and what not: each case is one sentence against the sentence that it cites."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from assistant.compose import Draft
from assistant.config import Settings
from assistant.corpus import read_corpus
from assistant.errors import DataError
from assistant.evaluation.attribution import Scores, read_claims, scored
from assistant.evidence import Judgement
from assistant.records import Study
from assistant.support import Support

LEVELS = "Canadian mothers had higher median serum B12 (348"
MILK = "Breast milk B12 concentrations were also"
LINK = "A moderate positive correlation between"
GIVEN = "No vitamin B12 supplementation was adm"
PAGE = "Breast milk from Canadian"
PAPER = "blood, total vitamin B12 was 698"
BABIES = "blood, total vitamin B12 was 506"
SIZE = "Who was studied"
NEITHER = "In Cambodia, only the mothers"


class Says:
    """Evidence of one fixed probability, which keeps what it was asked."""

    threshold = 0.5

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self.asked: list[tuple[str, Sequence[str]]] = []

    def judge(self, question: str, candidates: Sequence[str]) -> Judgement:
        self.asked.append((question, candidates))
        return Judgement(tuple(self.probability for _ in candidates), self.probability)


@pytest.fixture(scope="module")
def study() -> Study:
    return read_corpus(Settings().corpus).studies[0]


def draft(study: Study, text: str, part: str) -> Draft:
    return Draft(text, (next(s for s in study.sentences if part in s.text),))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            "Canadian mothers had a median serum B12 of 348 pmol/L, compared with 171 pmol/L in Cambodian mothers.",
            LEVELS,
        ),  # noqa: E501
        ("Mothers in Canada had higher B12 levels than mothers in Cambodia (348 vs. 171 pmol/L).", LEVELS),
        ("Babies in Canada had higher B12 in their blood: 291 pmol/L, against 145 pmol/L in Cambodia.", LEVELS),
        ("Breast milk in Cambodia had significantly lower B12 than in Canada (148 pmol/L vs. 347 pmol/L).", MILK),
        ("Breast milk had 148 pmol/L of B12 in Cambodia and 347 pmol/L in Canada.", MILK),
        ("In Canada, the mothers' and infants' B12 were moderately correlated (r=0.51, p=0.003).", LINK),
        ("No such correlation was seen in Cambodia (r=0.20, p=0.27).", LINK),
        ("No vitamin B12 was given in this study.", GIVEN),
        ("Breast milk from mothers in Canada had more B12 than breast milk from mothers in Cambodia.", PAGE),
        ("In the mothers' blood, B12 averaged 698 pmol/L in Canada and 620 pmol/L in Cambodia.", PAPER),
        ("The study looked at 40 mother-baby pairs in Vancouver, Canada, and 67 in Prey Veng, Cambodia.", SIZE),
        ("In Cambodia, milk B12 was not correlated with the mothers' or the infants' B12.", NEITHER),
    ],
)
def test_a_faithful_statement_holds(text: str, part: str, study: Study) -> None:
    assert Support(study, Says(1.0)).faults(draft(study, text, part)) == []


@pytest.mark.parametrize(
    ("text", "part", "kind"),
    [
        (
            "Cambodian mothers had a serum B12 of 348 pmol/L, compared with 171 pmol/L in Canadian mothers.",
            LEVELS,
            "figures",
        ),  # noqa: E501
        ("Babies in Canada had 348 pmol/L and babies in Cambodia 171 pmol/L of B12.", LEVELS, "figures"),
        ("Breast milk B12 was 347 pmol/L in Cambodia and 148 pmol/L in Canada.", MILK, "figures"),
        ("Breast milk B12 was 148 pmol/L in Canada.", MILK, "figures"),
        ("B12 was higher in Canada than in Cambodia (171 vs. 348 pmol/L in mothers).", LEVELS, "figures"),
        ("In Cambodia, unlike Canada, mothers had 348 pmol/L.", LEVELS, "figures"),
        ("In the mothers' blood, B12 averaged 620 pmol/L in Canada and 698 pmol/L in Cambodia.", PAPER, "figures"),
        ("In the infants' blood, total vitamin B12 was 698 pmol/L in Canada.", PAPER, "who"),
        ("The study looked at 67 mother-baby pairs in Canada and 40 in Cambodia.", SIZE, "figures"),
        ("Cambodian mothers had higher median serum B12 than Canadian mothers.", LEVELS, "direction"),
        ("Breast milk in Canada had significantly lower B12 than in Cambodia.", MILK, "direction"),
        ("Canadian mothers had lower B12 levels than Cambodian mothers (348 vs. 171 pmol/L).", LEVELS, "numbers"),
        ("Mothers in Canada had a B12 of 358 pmol/L.", LEVELS, "numbers"),
        ("Mothers in Canada had a B12 of 348 nmol/L.", LEVELS, "numbers"),
        ("A moderate positive correlation was observed in Cambodia.", LINK, "denial"),
        ("No correlation was observed in Canada.", LINK, "denial"),
        ("The correlation in Cambodia was significant.", LINK, "denial"),
        ("Vitamin B12 supplementation was administered in this study.", GIVEN, "denial"),
        ("In Cambodia, milk B12 was correlated with the mothers' B12.", NEITHER, "denial"),
        ("Canadian mothers should take more.", PAGE, "claims"),
        ("Canadian mothers had higher median serum B12, because they ate more meat.", LEVELS, "claims"),
        ("Canadian mothers had higher median serum B12 and folate.", LEVELS, "words"),
        ("Canadian mothers had higher median serum B12, which makes infants smarter.", LEVELS, "words"),
        ("Peruvian mothers had higher B12.", LEVELS, "names"),
        ("Fathers had higher B12.", LEVELS, "names"),
        ("Breast milk B12 was lower in Cambodia <b>", MILK, "markup"),
        ("Breast milk B12 was lower in\u202e Cambodia.", MILK, "markup"),
    ],
)
def test_a_statement_that_says_something_else_is_dropped(text: str, part: str, kind: str, study: Study) -> None:
    found = Support(study, Says(1.0)).faults(draft(study, text, part))
    assert kind in {fault.kind for fault in found}


@pytest.mark.parametrize(("probability", "held"), [(0.2, False), (0.49, False), (0.5, True), (0.9, True)])
def test_the_evidence_has_the_last_word(probability: float, held: bool, study: Study) -> None:
    evidence = Says(probability)
    counted: list[str] = []
    one = draft(study, "Mothers in Canada had higher B12 levels than mothers in Cambodia (348 vs. 171 pmol/L).", LEVELS)
    assert list(Support(study, evidence).holding([one], counted.append)) == ([one] if held else [])
    assert counted == ["verified" if held else "dropped.evidence"]
    assert evidence.asked == [(one.text, [one.cites[0].in_context])]


def test_the_model_is_not_asked_about_what_fails_anyway(study: Study) -> None:
    evidence = Says(1.0)
    assert Support(study, evidence).faults(draft(study, "Mothers in Canada had a B12 of 358 pmol/L.", LEVELS))
    assert evidence.asked == []


def rows(path: Path, *claims: tuple[str, str, bool, str]) -> Path:
    lines = [
        {"claim": claim, "references": [reference], "response": response, "src_dataset": "made up", "id": str(at),
         "attribution_label": "attributable" if good else "not attributable"}
        for at, (claim, reference, good, response) in enumerate(claims)
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


class OneHot:
    """An embedder of words, for which likeness is shared words."""

    name = "words"
    dimension = 512

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                found[row, sum(map(ord, word)) % self.dimension] = 1
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def test_attribution_is_scored_by_sentence_and_by_response(tmp_path: Path) -> None:
    source = "The river is 20 km long and it flows north. Nobody swims in the river."
    file = rows(
        tmp_path / "claims.jsonl",
        ("The river is 20 km long.", source, True, "a"),
        ("The river is 30 km long.", source, False, "a"),
        ("The river flows north.", source, True, "b"),
        ("The river is full of golden crocodiles.", source, False, "c"),
    )
    report = scored(read_claims(file), None, OneHot())
    sentences = report.figures["sentences"]
    assert sentences["verification"] == asdict(Scores(4, 2, 1.0, 1.0, 1.0, 1.0, 1.0))
    assert report.figures["responses"]["verification"]["n"] == 3
    assert sentences["numbers"]["recall"] == 0.5
    assert sentences["all flagged"]["precision"] == 0.5
    assert not report.failures


def test_scores() -> None:
    scores = Scores.of([True, True, False, False], [True, False, True, False])
    assert (scores.precision, scores.recall, scores.f1, scores.macro) == (0.5, 0.5, 0.5, 0.5)


@pytest.mark.parametrize("text", ["{", '{"claim": 1}', "[]"])
def test_a_file_of_another_form_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(DataError, match="x.jsonl"):
        read_claims(tmp_path / "x.jsonl")
