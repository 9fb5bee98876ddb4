"""Tests of the scores: question files and what is wrong with them, verdicts, figures of merit, the suites."""

import csv
import json
import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fake_models import FakeEmbedder, FakeEvidence
from fakes import FakeAssistant

from assistant import evaluation
from assistant.config import Settings
from assistant.corpus import Corpus
from assistant.embed import PACKAGED
from assistant.errors import ConfigError, DataError
from assistant.evaluation import answerability, metrics, ranking, scoring, selection, sorting
from assistant.evaluation.question_file import Question, read
from assistant.evaluation.report import Report, Table
from assistant.evaluation.setup import Remembering, Setup
from assistant.evidence import CANDIDATES
from assistant.records import Answer, Citation

QUESTIONS = Path(__file__).parent / "data" / "questions.jsonl"


# --- the file ---


def written(folder, *records):
    file = folder / "questions.jsonl"
    file.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return file


def record(**values):
    return {"id": "a1", "question": "n?", "outcome": "answered", **values}


def test_the_shipped_questions_are_read_and_name_places_that_exist(study):
    questions = read(QUESTIONS)
    outcomes = Counter(question.outcome for question in questions)
    assert outcomes["answered"] >= 60 and outcomes["not_in_study"] >= 60
    titles = {f"{source.name}:{section.title}" for source in study.sources for section in source.sections}
    titles |= {f"{source.name}:*" for source in study.sources} | {"study:record"}
    assert {place for question in questions for place in question.sections} <= titles


def test_what_is_left_out_has_a_default(tmp_path):
    assert read(written(tmp_path, "", record())) == (Question("a1", "n?", "answered"),)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param([record(), "{"], r"questions\.jsonl:2: not JSON", id="json"),
        pytest.param(["[1]"], r":1: got list, expected a JSON object", id="list"),
        pytest.param(["", record(answer=1)], r":2: unknown key 'answer'; the keys are id, ", id="key"),
        pytest.param([{"id": "a1", "question": "n?"}], r":1: has no 'outcome'", id="outcome missing"),
        pytest.param([record(outcome="yes")], r":1: outcome is 'yes', expected one of answered, ", id="outcome"),
        pytest.param([record(outcome=[])], r":1: outcome is \[\], expected one of", id="outcome list"),
        pytest.param([record(audience="child")], r":1: audience is 'child', expected one of parent, ", id="audience"),
        pytest.param([record(question=" ")], r":1: question is empty", id="empty"),
        pytest.param([record(question=7)], r":1: question is 7, expected text", id="number"),
        pytest.param([record(facts="348")], r":1: facts is '348', expected a list", id="facts"),
        pytest.param([record(facts=["348"])], r":1: facts holds '348', expected a list of alternatives", id="group"),
        pytest.param([record(facts=[[]])], r":1: facts holds \[\]", id="no alternative"),
        pytest.param([record(sections=["Key Findings"])], r":1: sections holds 'Key Findings', expected", id="place"),
        pytest.param([record(history=[{"role": "system", "content": "x"}])], r":1: history holds", id="history"),
        pytest.param([record(), record()], r":2: id 'a1' is also on line 1", id="twice"),
        pytest.param([""], r"questions\.jsonl: holds no question", id="nothing"),
    ],
)
def test_a_bad_file_is_told_by_line(tmp_path, lines, message):
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, *lines))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="none.jsonl: cannot be read"):
        read(tmp_path / "none.jsonl")
    file = tmp_path / "latin.jsonl"
    file.write_bytes(b"\n\xe9")
    with pytest.raises(DataError, match="latin.jsonl:2: byte 0xe9 is not UTF-8"):
        read(file)


# --- verdicts ---


@pytest.mark.parametrize(
    ("fact", "said", "found"),
    [
        ("348", "It was 348 pmol/L.", True),
        ("348", "It was 1348 pmol/L.", False),
        ("34", "348", False),
        ("48", "348", False),
        ("2.34", "2.34 times", True),
        ("2.3", "2.34 times", False),
        ("34", "2.34 times", False),
        ("12", "vitamin B12", False),
        ("291", "291, and 145", True),
        ("1", "1,000", False),
        ("n=40", "(n=40)", True),
        ("LOWER", "was lower", True),
        ("didn’t involve", "It didn't involve pills", True),
        ("3-27", "3–27 weeks", True),
        ("p<0.001", "p<0.001", True),
    ],
)
def test_facts_are_looked_for_as_wholes(fact, said, found):
    assert scoring.stands(fact, scoring.folded(said)) is found


def cited(study, *, number=1, shift=0, section=None):
    sentence = next(s for s in study.source("technical").sentences if "348" in s.text)
    start = sentence.start + shift
    title = section or sentence.section
    return Citation(number, study.pmid, "technical", title, sentence.text, start, start + len(sentence.text), study.url)


def reply(study, text="It was 348 pmol/L [1].", outcome="answered", **citation):
    return Answer(text, outcome, (cited(study, **citation),), confidence=0.9)


def asked(study, **values):
    section = cited(study).section
    given = {"outcome": "answered", "facts": (("348", "350"),), "sections": (f"technical:{section}",)}
    return Question("a1", "Mothers' B12?", **{**given, **values})


def test_a_right_reply_is_right(study):
    verdict = scoring.judge(asked(study), reply(study), Corpus((study,)))
    assert verdict.right and verdict.why == []


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        pytest.param({"outcome": "not_in_study"}, {}, "outcome answered, expected not_in_study", id="outcome"),
        pytest.param({"facts": (("171",),)}, {}, "says none of '171'", id="fact"),
        pytest.param({"facts": (("1",),)}, {}, "says none of '1'", id="a marker is no fact"),
        pytest.param({"sections": ("summary:*",)}, {}, r"cites none of summary:\*", id="place"),
        pytest.param({}, {"shift": 1}, "does not stand at its offsets", id="offset"),
        pytest.param({}, {"text": "It was 348 [1][2]."}, r"the marker \[2\] has no citation", id="marker"),
    ],
)
def test_a_wrong_reply_says_why(study, question, answer, why):
    verdict = scoring.judge(asked(study, **question), reply(study, **answer), Corpus((study,)))
    assert not verdict.right
    assert re.search(why, "\n".join(verdict.why))


def test_an_answer_without_a_citation_is_wrong(study):
    verdict = scoring.judge(Question("a", "q", "answered"), Answer("So it is.", "answered"), Corpus((study,)))
    assert verdict.why == ["answers without a citation"]


def test_a_citation_of_a_study_that_is_not_there_is_wrong(study):
    verdict = scoring.judge(asked(study), reply(study), Corpus((replace(study, pmid="1"),)))
    assert "is not in the corpus" in verdict.why[0]


@pytest.mark.parametrize(
    ("place", "covered"),
    [("technical:*", True), ("technical:Results", True), ("technical:Other", False), ("summary:*", False)],
)
def test_places(study, place, covered):
    assert scoring.covers(place, cited(study, section="Results")) is covered


def test_a_file_is_scored(tmp_path):
    # The fake answers all but zinc, with the study's first sentences, which stand in the summary.
    file = written(
        tmp_path,
        record(id="right", sections=["summary:*"], kind="number"),
        record(id="fact", facts=[["no such words"]], kind="number", audience="clinician"),
        record(id="refused", question="and zinc?", outcome="not_in_study", kind="absent_term"),
        record(id="not refused", question="and iron?", outcome="not_in_study", kind="absent_term"),
        record(id="lost", question="is zinc there?", kind="number"),
    )
    report = evaluation.questions(file, FakeAssistant())
    figures = report.to_dict()["figures"]
    assert [entry["id"] for entry in report.failures] == ["fact", "not refused", "lost"]
    assert figures["right"] == 0.4 and figures["outcome_right"] == 0.6
    assert figures["unanswerable_refused"] == figures["refusal_precision"] == 0.5
    assert figures["answerable_lost"] == 1 / 3
    assert figures["kinds"]["number"]["right"] == 1 / 3
    assert figures["audiences"]["clinician"]["facts_found"] == 0
    # 0.93 said three times with one right, 0.9 twice with one right: one bar, 0.918 said and 0.4 right.
    assert figures["calibration_error"] == pytest.approx(0.518)
    assert "no such words" not in report.table() and "says none of 'no such words'" in report.table(failures=True)


def test_the_real_pipeline_is_scored(fake_assistant, tmp_path):
    asked = record(question="What was the milk iron in Peru?", facts=[["0.35"]], sections=["technical:*"])
    file = written(tmp_path, asked)
    figures = evaluation.questions(file, fake_assistant).figures
    assert figures["questions"] == 1 and figures["replies_with_unverified_citations"] == 0


def test_a_question_that_is_not_taken_is_a_failure(tmp_path):
    report = evaluation.questions(written(tmp_path, record()), FakeAssistant(failure=_question_error()))
    assert report.failures[0]["why"] == ["not taken: too long"]


def _question_error():
    from assistant.errors import QuestionError

    return QuestionError("too long")


# --- figures of merit ---


def test_ndcg_counts_places():
    assert metrics.ndcg(["a", "b"], {"a", "b"}) == 1
    assert metrics.ndcg(["x", "a"], {"a", "b"}) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert metrics.ndcg([*"xxxxxxxxxx", "a"], {"a"}) == 0


def test_auc_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    positive, negative = [0.9, 0.5, 0.5, 0.1, 0.7], [0.5, 0.2, 0.8, 0.1]
    assert metrics.auc(positive, negative) == pytest.approx(roc_auc_score([1] * 5 + [0] * 4, positive + negative))
    assert math.isnan(metrics.auc([], negative))


def test_macro_f1_is_that_of_scikit_learn():
    from sklearn.metrics import f1_score

    scores, labels = [0.9, 0.6, 0.4, 0.2, 0.1], [True, False, True, False, False]
    wanted = f1_score(labels, [score >= 0.4 for score in scores], average="macro")
    assert metrics.macro_f1(scores, labels, 0.4) == pytest.approx(wanted)
    assert metrics.best_threshold(scores, labels) == 0.4


def test_refused_at_a_share_lost():
    positive = [n / 100 for n in range(50, 100)]
    assert metrics.refused_at(positive, [0.1, 0.515, 0.53, 0.9], lost=0.04) == 0.5  # two of fifty may go
    assert metrics.refused_at(positive, [0.1, 0.515, 0.53, 0.9], lost=0.0) == 0.25


def test_calibration_error():
    bars = metrics.reliability([0.95, 0.95, 0.15, 1.0], [True, False, False, True])
    assert [(bar.low, bar.count) for bar in bars] == [(0.1, 1), (0.9, 3)]
    assert metrics.calibration_error(bars) == pytest.approx((0.15 + abs(2.9 - 2)) / 4)
    assert math.isnan(metrics.calibration_error(()))


def test_a_report_is_json_and_a_table():
    table = Table("areas", ("", "AUC"), (("cosine", 0.75), ("none", math.nan)))
    report = Report("x", "two", {"a": math.nan, "b": {"c": (1, 2.5)}}, [table])
    assert json.dumps(report.to_dict(), allow_nan=False)
    assert report.to_dict()["figures"] == {"a": None, "b": {"c": [1, 2.5]}}
    assert "cosine  0.750" in report.table() and "none        –" in report.table()


# --- suites ---


TOPICS = {
    "Iron": ["Iron was measured in milk.", "Zinc was not looked at here.", "Mothers were from Peru and Nepal."],
    "Steam": ["Engines turn heat into motion.", "Watt added a condenser.", "Coal was cheap in Wales."],
    "Virus": ["The virus binds a receptor.", "Camels carry the virus.", "Fever lasts for days."],
}


def answers(name, sentence):
    text = " ".join(TOPICS[name])
    return [{"text": sentence, "answer_start": text.index(sentence)}]


@pytest.fixture
def data(tmp_path):
    """Public data in miniature: each question repeats words of the one sentence that answers it."""
    qa = tmp_path / "data" / "qa"
    (qa / "scifact").mkdir(parents=True)
    (qa / "bioasq").mkdir()
    squad, covid, bioasq = [], [], []
    for number in range(34):
        name = list(TOPICS)[number % 3]
        title, text = ["Warsaw", "Imperialism", "Immune_system", "Other"][number % 4], " ".join(TOPICS[name])
        questions = [
            {"question": f"Tell: {sentence}", "id": f"{number}-{at}", "answers": answers(name, sentence)}
            for at, sentence in enumerate(TOPICS[name])
        ]
        without = {"question": "Which football club won?", "id": f"{number}-u", "answers": [], "is_impossible": True}
        squad.append({"title": title, "paragraphs": [{"context": text, "qas": [*questions, without]}]})
        # Papers of the same topic differ in a word, so that the right one can be told.
        marked = text.replace(TOPICS[name][0], f"Paper{number} " + TOPICS[name][0])
        question = f"Paper{number}: {TOPICS[name][0]}"
        qas = [{"question": question, "id": number, "answers": [{"text": "Paper", "answer_start": 0}]}]
        covid.append({"paragraphs": [{"document_id": 1000 + number, "context": marked, "qas": qas}]})
    for name, lines in TOPICS.items():
        snippets = [{"document": f"http://x/pubmed/{name}", "text": line} for line in lines[:1]]
        bioasq.append({"body": f"Tell: {lines[0]}", "snippets": snippets, "documents": []})
    (qa / "squad2-half-dev.json").write_text(json.dumps({"data": squad}))
    (qa / "covidqa.json").write_text(json.dumps({"data": covid}))
    (qa / "bioasq" / "11B1_golden.json").write_text(json.dumps({"questions": bioasq}))
    with (qa / "scifact" / "corpus_train.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["doc_id", "title", "abstract", "structured"])
        for at, (name, lines) in enumerate(TOPICS.items()):
            rows.writerow([at, name, "[" + "\n ".join(map(repr, lines)) + "]", False])
    with (qa / "scifact" / "claims_validation.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "claim", "evidence_doc_id", "evidence_label", "evidence_sentences", "cited_doc_ids"])
        rows.writerows([at, lines[1], "", "", "[]", f"[{at}]"] for at, lines in enumerate(TOPICS.values()))
    return tmp_path / "data"


@pytest.fixture
def setup(data):
    return Setup(data, Settings(), Remembering(FakeEmbedder()), given=FakeEvidence())


def test_covidqa_finds_the_passage(setup):
    report = ranking.covidqa(setup)
    assert report.figures["hit@1"]["fused"] == {"known": 1.0, "all": 1.0}
    assert set(report.figures["hit@1"]) == {"cosine", "bm25", "fused"}
    assert "34 questions, 34 papers, 34 passages" in report.about


def test_a_passage_ends_where_its_last_sentence_does(study):
    from assistant.retrieve import passages

    section = max((s for source in study.sources for s in source.sections), key=lambda s: len(s.sentences))
    for start, text in passages(section, 200):
        end = ranking._end(section, start, text)
        inside = [s.text for s in section.sentences if start <= s.start and s.end <= end]
        assert " ".join(inside) == text


def test_scifact_finds_the_abstract(setup):
    figures = ranking.scifact(setup).figures["ndcg@10"]
    assert figures == {"cosine": 1.0, "bm25": 1.0, "fused": 1.0}


def test_squad2_tells_questions_without_an_answer(setup):
    report = answerability.squad2(setup)
    assert "on 3 held-out articles" in report.about
    for system in ("cosine", "bm25", "evidence"):
        assert report.figures[system] == {"auc": 1.0, "refused_at_4_lost": 1.0, "macro_f1": 1.0}, system


def test_the_f1_threshold_comes_from_other_documents():
    scores = answerability.Scores()
    for document, shift in (("one", 0.0), ("two", 10.0)):
        scores.add({"s": shift + 2}, True, document)
        scores.add({"s": shift + 1}, False, document)
    # Within each document the two are told apart; by the other document's threshold they fall on one side.
    assert metrics.auc(*scores.sides("s")) == 0.75
    assert answerability._f1_elsewhere(scores, "s") == pytest.approx(0.5)


def test_covidqa_answerability_takes_the_paper_out(setup):
    report = answerability.covidqa_answerability(setup)
    assert report.about.startswith("30 questions with and without their paper among 30")
    assert report.figures["bm25"]["auc"] > 0.9 and report.figures["evidence"]["auc"] > 0.9


def test_written_questions_are_held_to_the_shipped_threshold(setup, tmp_path, monkeypatch):
    lines = ("S: iron in milk", "S: other")
    examples = [
        answerability.data.Example("P1", "iron in milk?", lines, frozenset({0}), "number"),
        answerability.data.Example("P1", "zinc in milk?", lines, frozenset(), "absent_term"),
        answerability.data.Example("P1", "iron and milk of Lima?", lines, frozenset({0}), "number"),
    ]
    monkeypatch.setattr(answerability.data, "written_split", lambda folder: answerability.data.Split([], [], examples))
    evidence = FakeEvidence(threshold=0.8)
    figures = answerability.written(replace(setup, given=evidence)).figures
    # Shares of the question's words: 1 of 1, 1 of 2, and 2 of 3, which the threshold loses.
    assert figures["shipped"]["unanswerable_refused"] == 1.0
    assert figures["shipped"]["answerable_lost"] == 0.5
    assert figures["evidence"]["auc"] == 1.0
    assert figures["kinds"]["absent_term, not"] == {"questions": 1, "right": 1.0}


def test_covidqa_sentences_are_those_of_the_paper(setup):
    report = selection.covidqa_sentences(setup)
    assert report.about.startswith("30 questions, 90 sentences")
    assert report.figures["bm25"] == {"hit@1": 1.0, "hit@3": 1.0, "mrr": 1.0}


def test_bioasq_looks_among_all_snippets(setup):
    report = selection.bioasq(setup)
    assert report.about.startswith("3 questions, 3 sentences")
    assert set(report.figures) == {"cosine", "bm25", "fused", "evidence", "both"}
    assert report.figures["evidence"]["hit@1"] == 1.0


def test_the_evidence_reorders_the_head_and_leaves_the_tail():
    from assistant.index import Chunk

    texts = ["milk iron" if at == 3 else "other" for at in range(CANDIDATES + 2)]
    ranked = [(Chunk(str(at), "1", "sentence", text), 1.0) for at, text in enumerate(texts)]
    again = selection.reranked("milk iron?", ranked, FakeEvidence())
    assert [chunk.id for chunk, _ in again["evidence"]] == ["3", "0", "1", "2", *map(str, range(4, CANDIDATES + 2))]
    # What retrieval is far surer of goes before what the evidence alone prefers by a little.
    slight = [(Chunk("0", "1", "sentence", "milk of goats"), 9.0), (Chunk("1", "1", "sentence", "milk iron"), 0.1)]
    again = selection.reranked("milk iron levels?", slight, FakeEvidence())
    assert [chunk.id for chunk, _ in again["evidence"]] == ["1", "0"]
    assert [chunk.id for chunk, _ in again["both"]] == ["0", "1"]


def test_triage_counts_emergencies(data, tmp_path):
    file = tmp_path / "triage.jsonl"
    messages = [("my baby is limp and blue", "urgent"), ("How many mothers took part in the study?", "study")]
    file.write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in messages))
    setup = Setup(data, Settings(), Remembering(FakeEmbedder(PACKAGED, 384)))
    figures = sorting.triage(setup, file).figures
    assert figures["urgent_recall"] == 1.0
    assert sum(figures["confusion"]["study"].values()) == 1
    file.write_text('{"text": "x", "label": "urgnt"}')
    with pytest.raises(DataError, match="triage.jsonl:1: got .*urgnt"):
        sorting.triage(setup, file)


def test_a_sample_is_the_same_each_time_and_in_order(setup):
    drawn = replace(setup, sample=5).drawn(range(100))
    assert drawn == sorted(drawn) == replace(setup, sample=5).drawn(range(100))
    assert len(drawn) == 5 and setup.drawn(range(100)) == list(range(100))


def test_no_text_is_encoded_twice():
    inner = FakeEmbedder()
    embedder = Remembering(inner)
    first = embedder.encode(["bb", "a", "bb"])
    assert (embedder.encode(["a", "bb"])[::-1] == first[:2]).all()
    assert sorted(inner.texts) == ["a", "bb"]
    assert embedder.encode([]).shape == (0, 48)


def test_an_unknown_suite_and_missing_data_are_told(tmp_path):
    with pytest.raises(ConfigError, match="there is no suite 'squad3'; the suites are covidqa, scifact"):
        evaluation.suite("squad3", tmp_path, Settings())
    with pytest.raises(DataError, match="covidqa.json: is not there; give the folder of the public data with --data"):
        ranking.covidqa(Setup(tmp_path, Settings(), FakeEmbedder()))


def test_every_suite_has_its_function():
    from importlib import import_module

    for name, module in evaluation.SUITES.items():
        assert callable(getattr(import_module(f"assistant.evaluation.{module}"), name.replace("-", "_")))
