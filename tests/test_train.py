"""`train-evidence --tiny`, the whole path: data, training, adapter, calibration, and a model that opens from them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from assistant import cli
from assistant.errors import DataError
from assistant.evidence import data
from assistant.evidence.model import EvidenceModel
from assistant.evidence.train import off_topic, stages, train

TEXT = "Iron was measured in milk. Mothers came from Peru and Nepal. Nobody looked at zinc."
LINES = ["Iron was measured in milk.", "Mothers came from Peru and Nepal.", "Nobody looked at zinc."]


def squad(title: str) -> dict[str, object]:
    answer = {"text": "milk", "answer_start": TEXT.index("milk")}
    asked = [{"question": "What was iron measured in?", "answers": [answer]}, {"question": "Who paid?", "answers": []}]
    return {"title": title, "paragraphs": [{"context": TEXT, "qas": asked * 8}]}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Public data in miniature."""
    folder = tmp_path_factory.mktemp("public")
    qa = folder / "qa"
    (qa / "scifact").mkdir(parents=True)
    for name in ("squad2-half-dev.json", "xquad-en.json"):
        (qa / name).write_text(json.dumps({"data": [squad("Iron")]}))
    papers = [
        {"paragraphs": [{"document_id": at, "context": TEXT, "qas": squad("")["paragraphs"][0]["qas"][:1]}]}  # type: ignore[index]
        for at in range(data.HELD_OUT_PAPERS + 4)
    ]
    (qa / "covidqa.json").write_text(json.dumps({"data": papers}))
    selqa = [{"article": "Iron", "question": "Where from?", "candidates": LINES, "answers": [1]}] * 4
    for part in ("dev", "test"):
        (qa / f"selqa-{part}.json").write_text(json.dumps(selqa))
    with (qa / "scifact/corpus_train.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["doc_id", "title", "abstract", "structured"])
        rows.writerow(["7", "Iron", "[" + "\n ".join(map(repr, LINES)) + "]", "False"])
    with (qa / "scifact/claims_train.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "claim", "evidence_doc_id", "evidence_label", "evidence_sentences", "cited_doc_ids"])
        rows.writerow(["1", "Milk has iron.", "7", "SUPPORT", "[0]", "[7]"])
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the pages and questions that were written for the project."""
    folder = tmp_path_factory.mktemp("written")
    for name in ("pages-a.txt", "pages-a.jsonl", "pages-b.txt", "pages-b.jsonl", "contrast-pages-ab.jsonl"):
        shutil.copy(data.WRITTEN / name, folder)
    return folder


@pytest.mark.slow
@pytest.mark.model
def test_a_tiny_training_ends_in_a_model_that_opens(public: Path, written: Path, tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason='pip install "study-assistant[train]"')
    said: list[str] = []
    train(public, tmp_path / "out", tiny=True, written=written, say=said.append)
    assert [line.partition(":")[0] for line in said[:3]] == ["general", "studies 1", "mistakes"]
    file = tmp_path / "out" / "adapter.safetensors"
    assert 1e6 < file.stat().st_size < 12e6
    model = EvidenceModel.load(tmp_path / "out")
    assert 0 < model.threshold < 1
    judged = model.judge("What was iron measured in?", LINES)
    assert len(judged.sentences) == 3 and 0 < judged.answered < 1
    base = EvidenceModel.load()
    assert not np.allclose(model.logits("Who paid?", LINES), base.logits("Who paid?", LINES))


def test_missing_data_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="--data"):
        train(tmp_path, tmp_path / "out")
    assert cli.main(["train-evidence", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "--data" in capsys.readouterr().err


def test_messages_about_no_study_are_asked_of_pages_without_an_answer() -> None:
    page = data.Example("P1", "Who paid?", tuple(LINES), frozenset())
    made = off_topic([page, data.Example("77", "Who paid?", tuple(LINES), frozenset())], 1)
    assert len(made) > 500 and {example.document for example in made} == {"P1"}
    assert not any(example.answers for example in made) and made == off_topic([page], 1)


def test_nothing_held_out_is_trained_on(public: Path, written: Path) -> None:
    split = data.written_split(public, written)
    held = {example.document for example in split.calibration}
    assert held == data.CALIBRATION_PAGES & {"P011", "P012", "P111", "P112"}
    assert not held & {example.document for example in split.train}
    texts = {sentence for example in split.calibration for sentence in example.sentences}
    contrasts = data.contrasts(public, written)
    assert len(contrasts) > 1_500 and {label for *_, label in contrasts} == {0.0, 1.0}
    trained = {sentence for stage in stages(public, split.train, contrasts) for _, sentence, _ in stage.pairs}
    assert not trained & texts


def test_no_question_that_was_written_is_about_the_shipped_study() -> None:
    for path in data.WRITTEN.iterdir():
        if "pages" in path.name:
            text = path.read_text(encoding="utf-8").casefold()
            assert "prey veng" not in text and "28287490" not in text, path
