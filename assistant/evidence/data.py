"""Questions to train and measure on: public sets and those written for this project, in one form."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pysbd

from assistant.errors import DataError
from assistant.jsonl import read_jsonl

WRITTEN = Path(__file__).parent / "data"
MESSAGES = Path(__file__).parents[1] / "triage" / "train.jsonl"
"""Messages of every kind; those about no study have no answer in any text."""
CALIBRATION_PAGES = frozenset("P011 P012 P111 P112 P213 P214 P313 P314".split())
CALIBRATION_FILE, CALIBRATION_ABSTRACTS = "abstracts-3.jsonl", 32
Pair = tuple[str, str, float]
"""Question, sentence, and 1 where the sentence answers, else 0."""
HELD_OUT_PAPERS = 30
HELD_OUT_SQUAD = frozenset({"Immune_system", "Steam_engine", "Warsaw", "Imperialism"})


@dataclass(frozen=True)
class Example:
    """A question beside the sentences of one text, and which of them answer it.

    Attributes:
        document: Identifier of the text; splits never cut through one.
        sentences: Candidate sentences in order, each as the model is shown it.
        answers: 0-based indices of the sentences that answer the question; empty when none does.
        missing: What the text does not report, where a writer noted it.
    """

    document: str
    question: str
    sentences: tuple[str, ...]
    answers: frozenset[int]
    kind: str = ""
    missing: str = ""


def scifact_abstracts(data: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return title and sentences of each SciFact abstract by document id."""
    with (data / "qa/scifact/corpus_train.csv").open(encoding="utf-8", newline="") as file:
        return {row["doc_id"]: (row["title"], _array(row["abstract"])) for row in csv.DictReader(file)}


def _array(text: str) -> tuple[str, ...]:
    """Return the strings of a printed numpy array."""
    strings = []
    for line in re.split(r"\n(?= ['\"])", text.strip()[1:-1]):
        line = line.strip()
        if len(line) > 1 and line[0] in "'\"" and line[-1] == line[0]:
            line = line[1:-1].replace("\\" + line[0], line[0]).replace("\\\\", "\\")
        strings.append(re.sub(r"\s*\\n\s*", " ", line).strip())
    return tuple(strings)


@dataclass(frozen=True)
class Split:
    """The questions written for this project, split by the text that they are about."""

    train: list[Example]
    calibration: list[Example]
    test: list[Example]


def written_split(data: Path, folder: Path = WRITTEN) -> Split:
    """Return the questions written for this project over SciFact abstracts and made-up study pages.

    The test files were written by other writers than the rest, on other texts; `CALIBRATION_PAGES` and the first
    `CALIBRATION_ABSTRACTS` documents of one file are held aside for calibration.
    """
    abstracts = {name: sentences for name, (_, sentences) in scifact_abstracts(data).items()}
    split = Split([], [], [])
    for path in sorted(set(folder.glob("*.jsonl")) - set(folder.glob("contrast-*"))):
        texts = abstracts if "abstracts" in path.name else read_pages(path.with_suffix(".txt"))
        examples = [_written(record, texts[str(record["doc"])]) for record in read_jsonl(path)]
        held = CALIBRATION_PAGES
        if path.name == CALIBRATION_FILE:
            held = frozenset(sorted({example.document for example in examples})[:CALIBRATION_ABSTRACTS])
        for example in examples:
            if path.name.startswith("test-"):
                split.test.append(example)
            else:
                (split.calibration if example.document in held else split.train).append(example)
    return split


def contrasts(data: Path, folder: Path = WRITTEN) -> list[Pair]:
    """Return (question, sentence, label) of the contrast questions: what a sentence answers, and what it seems to.

    None is about a text of the test files or one that is held aside for calibration.
    """
    texts = {name: sentences for name, (_, sentences) in scifact_abstracts(data).items()}
    for path in folder.glob("pages-*.txt"):
        texts |= read_pages(path)
    made = []
    for path in sorted(folder.glob("contrast-*.jsonl")):
        for record in read_jsonl(path):
            sentence = texts[str(record["doc"])][int(str(record["s"]))]
            for key, label in (("yes", 1.0), ("no", 0.0)):
                questions = record[key]
                assert isinstance(questions, list)
                made += [(str(question), sentence, label) for question in questions]
    return made


def read_pages(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the sentences of each made-up page as the model is shown them: `Section: sentence`."""
    pages: dict[str, list[str]] = {}
    name = section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"# (\w+) \|", line):
            name = match[1]
            pages[name] = []
        elif match := re.match(r"## \w+ \| (.+)", line):
            section = match[1]
        elif match := re.match(r"\[(\d+)\] (?:- )?(.+)", line):
            if int(match[1]) != len(pages[name]):
                raise DataError(f"{path}: {name} has sentence [{match[1]}] where [{len(pages[name])}] is due")
            pages[name].append(f"{section}: {match[2]}")
    return {name: tuple(sentences) for name, sentences in pages.items()}


def _written(record: Mapping[str, object], sentences: tuple[str, ...]) -> Example:
    groups = record["answers"]
    assert isinstance(groups, list)
    return Example(
        document=str(record["doc"]),
        question=str(record["q"]),
        sentences=sentences,
        answers=frozenset(index for group in groups for index in group),
        kind=str(record.get("kind", "")),
        missing=str(record.get("missing", "")),
    )


class _Splitter:
    """Splits a text into sentences, keeping where each begins."""

    def __init__(self) -> None:
        self._segmenter = pysbd.Segmenter(language="en", clean=False)

    def spans(self, text: str) -> list[tuple[int, int]]:
        spans, at = [], 0
        for sentence in self._segmenter.segment(text):
            stripped = sentence.strip()
            start = text.find(stripped, at)
            if stripped and start >= 0:
                at = start + len(stripped)
                spans.append((start, at))
        return spans


def squad(path: Path, titles: Iterable[str] | None = None, *, excluding: Iterable[str] = ()) -> list[Example]:
    """Return SQuAD questions over the sentences of their paragraph, for the articles asked for."""
    wanted, unwanted, splitter = None if titles is None else set(titles), set(excluding), _Splitter()
    examples = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        if article["title"] in unwanted or (wanted is not None and article["title"] not in wanted):
            continue
        for paragraph in article["paragraphs"]:
            spans = splitter.spans(paragraph["context"])
            sentences = tuple(paragraph["context"][start:end] for start, end in spans)
            for question in paragraph["qas"]:
                answers = frozenset(_holding(spans, answer["answer_start"]) for answer in question["answers"])
                examples.append(Example(article["title"], question["question"], sentences, answers - {-1}))
    return examples


def _holding(spans: Sequence[tuple[int, int]], position: int) -> int:
    return next((index for index, (start, end) in enumerate(spans) if start <= position < end), -1)


def covidqa(data: Path, *, held_out: bool, window: int = 8) -> list[Example]:
    """Return COVID-QA questions over the sentences around the answer, of the held-out papers or of the others.

    The last `HELD_OUT_PAPERS` papers by document id are held out.
    """
    documents = [a["paragraphs"][0] for a in json.loads((data / "qa/covidqa.json").read_text("utf-8"))["data"]]
    documents.sort(key=lambda paper: paper["document_id"])
    chosen = documents[-HELD_OUT_PAPERS:] if held_out else documents[:-HELD_OUT_PAPERS]
    splitter, examples = _Splitter(), []
    for paper in chosen:
        spans = [
            (line.start() + start, line.start() + end)
            for line in re.finditer(r"[^\n]+", paper["context"])
            for start, end in splitter.spans(line[0])
        ]
        for question in paper["qas"]:
            at = _holding(spans, question["answers"][0]["answer_start"])
            if at >= 0:
                near = spans[max(0, at - window) : at + window + 1]
                examples.append(
                    Example(
                        f"covid-{paper['document_id']}",
                        question["question"],
                        tuple(paper["context"][start:end] for start, end in near),
                        frozenset({min(at, window)}),
                    )
                )
    return examples


def selqa(data: Path) -> list[Example]:
    """Return SelQA questions over the sentences of their section."""
    return [
        Example(
            f"selqa-{record['article']}",
            record["question"],
            tuple(_strings(record["candidates"])),
            frozenset(record["answers"]),
        )
        for part in ("dev", "test")
        for record in json.loads((data / f"qa/selqa-{part}.json").read_text("utf-8"))
    ]


def _strings(value: str | list[str]) -> list[str]:
    return json.loads(value) if isinstance(value, str) else value


def scifact_claims(data: Path) -> list[Example]:
    """Return SciFact's training claims over the sentences of the abstract that bears on them."""
    abstracts, examples = scifact_abstracts(data), []
    with (data / "qa/scifact/claims_train.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["evidence_doc_id"]:
                document = row["evidence_doc_id"]
                answers = frozenset(map(int, re.findall(r"\d+", row["evidence_sentences"])))
                examples.append(Example(document, row["claim"], abstracts[document][1], answers))
    return examples


def pairs(examples: Sequence[Example], negatives: int, seed: int) -> list[Pair]:
    """Return (question, sentence, label) with at most `negatives` unanswering sentences a question.

    Half of the negatives are those that share most words with the question, half are drawn at random.
    """
    rng = random.Random(seed)
    made = []
    for example in examples:
        asked = set(re.findall(r"\w+", example.question.lower()))
        wrong = [index for index in range(len(example.sentences)) if index not in example.answers]
        rng.shuffle(wrong)
        wrong.sort(key=lambda i: -len(asked & set(re.findall(r"\w+", example.sentences[i].lower()))))
        hard = wrong[: (negatives + 1) // 2]
        rest = wrong[len(hard) :]
        chosen = hard + rng.sample(rest, min(len(rest), negatives - len(hard)))
        made += [(example.question, example.sentences[i], 1.0) for i in sorted(example.answers)]
        made += [(example.question, example.sentences[i], 0.0) for i in chosen]
    rng.shuffle(made)
    return made
