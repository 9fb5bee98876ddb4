"""What studies report under set names, asked for and nowhere told."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import CorpusFolder, open_with_fakes

from assistant.compose.refusal import missing_name
from assistant.config import Settings
from assistant.corpus import read_corpus
from assistant.records import Study
from assistant.reported import unreported

TOLD = """# T

## Methods

Values are mean (SD 0.3); the power calculation asked for 70 mothers, of whom 4 dropped out.
Blood was collected in 2016. The ethics committee of the district approved it, and a ministry grant paid for it.
"""


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("and the SDs?", "standard deviations"),
        ("who paid for this?", "the funding"),
        ("ethics approval?", "ethics approval"),
        ("assay CV and LOD?", "an assay’s precision or limit of detection"),
        ("was a power calculation done", "a sample size calculation"),
        ("how many dropped out?", "drop-outs"),
        ("year the samples were collected?", "the year of sampling"),
        ("adjusted OR?", "odds ratios"),
    ],
)
def test_an_item_that_no_source_tells_is_named(
    question: str, item: str, study: Study, corpus_folder: CorpusFolder
) -> None:
    assert unreported(question, study) == item
    corpus_folder.add(technical=TOLD, findings=None)
    told = read_corpus(corpus_folder.path).studies[0]
    untold = ("an assay’s precision or limit of detection", "odds ratios")
    assert unreported(question, told) == (item if item in untold else "")


@pytest.mark.parametrize(
    "question",
    [
        "mothers or babies?",
        "WAS MILK B12 LOWER IN CAMBODIA OR CANADA",
        "95% CI in milk?",
        "what year was it published",
        "p for milk",
        "Did they record infant HR and RR?",
        "Does B12 help brain power?",
        "neonatal withdrawal",
        "did any drop outside their growth curve",
        "Is it ethical to withhold supplements?",
        "who funds vitamin programs?",
        "how many years of data",
    ],
)
def test_other_questions_ask_for_no_item(question: str, study: Study) -> None:
    assert unreported(question, study) == ""


def test_the_reply_says_which_item_is_missing(corpus_folder: CorpusFolder, tmp_path: Path) -> None:
    corpus_folder.add()
    with open_with_fakes(Settings(corpus=corpus_folder.path, index=tmp_path / "index")) as assistant:
        alone = assistant.ask("What was the SD of milk iron in Peru and in Nepal?", audience="clinician")
        beside = assistant.ask("Milk iron in Peru, and who funded it?", audience="clinician")
    assert alone.outcome == "not_in_study"
    assert "standard deviations" in alone.text
    assert beside.outcome == "answered"
    assert "0.35 mg/L" in beside.text and "the funding" in beside.text


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("holoTC measured?", "holoTC"),
        ("what about vitamin d, did they test for that one", "vitamin d"),
        ("How many were of South Asian background?", "South Asian"),
        ("What Was The Median B12 Of The Mothers?", ""),
        ("were vitamin B12 levels low in Prey Veng", ""),
        ("Were the Canadians older?", ""),
        ("p for BMI", ""),
    ],
)
def test_names_that_the_study_never_mentions(question: str, name: str, study: Study) -> None:
    assert missing_name(question, study) == name


def test_an_unknown_name_is_said_to_be_missing(corpus_folder: CorpusFolder, tmp_path: Path) -> None:
    corpus_folder.add()
    with open_with_fakes(Settings(corpus=corpus_folder.path, index=tmp_path / "index")) as assistant:
        plain = assistant.ask("Small groups of mothers took part?")
        named = assistant.ask("Small groups of Bolivian mothers took part?")
    assert plain.outcome == "answered"
    assert named.outcome == "not_in_study" and "Bolivian" in named.text
