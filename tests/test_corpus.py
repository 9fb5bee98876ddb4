"""The shipped study is the study page word for word; a broken study is refused with file, line and what to do."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import FINDING_COLUMNS, FINDINGS, ROOT, TECHNICAL, TOML, CorpusFolder

from assistant.corpus import check_corpus, content_hash, read_corpus
from assistant.errors import CorpusError
from assistant.records import Study

PAGE = ROOT.parent / "shared" / "study" / "study-page.txt"
WORDS_SHA256 = "556116f37d058ce18739153c5883b133e72d9ad409c7f9d16196204b28491b45"
"""Of the page's words, one a line; the page itself is not in this repository."""
ROW = "iron,milk,Peru,30,mean,0.35,,,mg/L,<0.01,technical,Results"


def words(text: str) -> str:
    """The words of a text, one a line, heading marks and the colon of a run-in title left out."""
    return "\n".join(re.sub(r"^#+ ", "", text.replace("Quick Summary:", "Quick Summary"), flags=re.M).split())


def shipped_words() -> str:
    """The words of the two halves of the page, as the corpus has them."""
    folder = ROOT / "corpus" / "28287490"
    return words((folder / "summary.md").read_text("utf-8") + "\n" + (folder / "technical.md").read_text("utf-8"))


def test_the_page_is_shipped_word_for_word() -> None:
    if not PAGE.exists():
        pytest.skip(f"{PAGE} is not here; test_the_page_is_unchanged checks the same by hash")
    assert shipped_words() == words(PAGE.read_text("utf-8"))


def test_the_page_is_unchanged() -> None:
    assert hashlib.sha256(shipped_words().encode()).hexdigest() == WORDS_SHA256


def test_every_section_title_of_the_page_is_a_heading(study: Study) -> None:
    titles = {source.name: [section.title for section in source.sections] for source in study.sources}
    assert titles["summary"] == [
        "Quick Summary",
        "Why is Vitamin B12 Important for Babies?",
        "What The Research Found",
        "Study Details",
        "What This Means For You",
        "Study Limitations",
    ]
    assert titles["technical"] == [
        "Key Findings",
        "Study Design",
        "Dosage & Administration",
        "Results & Efficacy",
        "Limitations",
        "Clinical Relevance",
        "Original Study Reference",
    ]


def test_the_shipped_study(study: Study) -> None:
    assert (study.year, study.journal, study.doi, study.licence) == (
        2017,
        "Nutrients",
        "10.3390/nu9030270",
        "CC BY 4.0",
    )
    assert len(study.authors) == 16 and len(study.findings) == 32
    assert study.url == "https://pubmed.ncbi.nlm.nih.gov/28287490/"
    assert set(study.origins) == {"summary", "technical", "published"}
    for sentence in study.sentences:
        assert study.source(sentence.source).text[sentence.start : sentence.end] == sentence.text


def test_the_smallest_study_is_a_record_and_a_text(corpus_folder: CorpusFolder) -> None:
    corpus_folder.add(findings=None)
    (small,) = read_corpus(corpus_folder.path).studies
    assert [source.name for source in small.sources] == ["technical"]
    assert small.findings == () and small.year is None and small.url.endswith("/1001/")
    with pytest.raises(KeyError):
        small.source("summary")


def test_findings_are_read(corpus_folder: CorpusFolder) -> None:
    corpus_folder.add()
    peru, nepal = read_corpus(corpus_folder.path).study("1001").findings
    assert (peru.measure, peru.who, peru.n, peru.value, peru.p, peru.unit) == (
        "iron",
        "milk",
        30,
        0.35,
        "<0.01",
        "mg/L",
    )
    assert (nepal.low, nepal.high, nepal.section) == (None, None, "Results")


def test_text_is_canonical(corpus_folder: CorpusFolder) -> None:
    decomposed = "\ufeff# Résumé\r\n\r\nLe café était bon (n=3).\rFin.\r\n"
    corpus_folder.add(summary=decomposed.encode(), findings=None)
    source = read_corpus(corpus_folder.path).study("1001").source("summary")
    assert source.text == "# R\u00e9sum\u00e9\n\nLe caf\u00e9 \u00e9tait bon (n=3).\nFin.\n"
    assert [source.text[s.start : s.end] for s in source.sentences] == [s.text for s in source.sentences]


def test_the_hash_follows_the_content(corpus_folder: CorpusFolder) -> None:
    corpus_folder.add()
    before = content_hash(read_corpus(corpus_folder.path).study("1001"))
    assert content_hash(read_corpus(corpus_folder.path).study("1001")) == before
    (corpus_folder.path / "1001" / "technical.md").write_text(TECHNICAL + "\nMore.\n", encoding="utf-8")
    assert content_hash(read_corpus(corpus_folder.path).study("1001")) != before


BROKEN: dict[str, tuple[dict[str, Any], str, int, str, str]] = {
    # case: (files that differ from a sound study, file, line, what is said, what to do)
    "no record": ({"study": None}, "study.toml", 0, "is missing", "every study has one, with pmid and title"),
    "no source": ({"technical": None, "findings": None}, "", 0, "has no source", "add at least one of summary.md"),
    "no title": ({"study": 'pmid = "1001"\n'}, "study.toml", 0, "has no title", 'add title = "…"'),
    "empty title": ({"study": 'pmid = "1001"\ntitle = "  "\n'}, "study.toml", 0, "has no title", 'add title = "…"'),
    "not TOML": ({"study": 'pmid = "1001"\ntitle = Iron\n'}, "study.toml", 2, "is not TOML", "mend that line"),
    "unknown key": (
        {"study": TOML.format(pmid="1001") + 'jurnal = "X"\n'},
        "study.toml",
        3,
        "unknown key 'jurnal'",
        "the known ones are pmid, title",
    ),
    "year as text": (
        {"study": TOML.format(pmid="1001") + 'year = "2017"\n'},
        "study.toml",
        3,
        "year is '2017'",
        "expected int",
    ),
    "authors as text": (
        {"study": TOML.format(pmid="1001") + 'authors = "A, B"\n'},
        "study.toml",
        3,
        "authors is 'A, B'",
        "expected list",
    ),
    "authors as numbers": (
        {"study": TOML.format(pmid="1001") + "authors = [1, 2]\n"},
        "study.toml",
        3,
        "authors is [1, 2]",
        "expected",
    ),
    "links as numbers": (
        {"study": TOML.format(pmid="1001") + "[links]\npubmed = 7\n"},
        "study.toml",
        3,
        "links is {'pubmed': 7}",
        "expected",
    ),
    "pmid with a path in it": (
        {"study": TOML.format(pmid="../x")},
        "study.toml",
        1,
        "pmid is '../x'",
        "expected digits",
    ),
    "latin-1": (
        {"technical": TECHNICAL.replace("Small", "Über").encode("latin-1")},
        "technical.md",
        9,
        "0xdc",
        "UTF-8",
    ),
    "utf-16": ({"technical": TECHNICAL.encode("utf-16")}, "technical.md", 1, "is not UTF-8", "save the file as UTF-8"),
    "control character": (
        {"technical": TECHNICAL.replace("Small", "\x07Small")},
        "technical.md",
        9,
        "control character U+0007",
        "delete it",
    ),
    "empty source": ({"summary": "\n\n"}, "summary.md", 0, "holds no sentence", "write its text or delete the file"),
    "only headings": ({"summary": "# A\n## B\n"}, "summary.md", 0, "holds no sentence", "delete the file"),
    "unknown column": (
        {"findings": FINDINGS.replace("cohort,", "group,", 1)},
        "findings.csv",
        1,
        "unknown column 'group'; no column 'cohort'",
        FINDING_COLUMNS,
    ),
    "missing column": (
        {"findings": "measure,who\niron,milk\n"},
        "findings.csv",
        1,
        "no column 'cohort'",
        FINDING_COLUMNS,
    ),
    "empty findings": ({"findings": ""}, "findings.csv", 1, "no column 'measure'", FINDING_COLUMNS),
    "twice the same column": (
        {"findings": f"{FINDING_COLUMNS},n\n{ROW},30\n"},
        "findings.csv",
        1,
        "column 'n' stands twice",
        FINDING_COLUMNS,
    ),
    "a cell too few": ({"findings": FINDINGS + "iron,milk\n"}, "findings.csv", 4, "number of cells", "12 columns"),
    "a cell too many": ({"findings": FINDINGS + ROW + ",x\n"}, "findings.csv", 4, "number of cells", "12 columns"),
    "not a number": (
        {"findings": FINDINGS.replace("0.35", "about 3")},
        "findings.csv",
        2,
        "value is 'about 3'",
        "expected a number or nothing",
    ),
    "a signalling NaN": ({"findings": FINDINGS.replace("0.35", "sNaN")}, "findings.csv", 2, "value", "sNaN"),
    "infinity": ({"findings": FINDINGS.replace("0.35", "Infinity")}, "findings.csv", 2, "value", "Infinity"),
    "half a participant": (
        {"findings": FINDINGS.replace(",30,mean,0.35", ",0.35,mean,0.35")},
        "findings.csv",
        2,
        "n is '0.35'",
        "expected a whole number",
    ),
    "a figure that isn't there": (
        {"findings": FINDINGS.replace("0.35", "0.36")},
        "findings.csv",
        2,
        "value '0.36' does not stand in technical › Results",
        "mend one",
    ),
    "a figure of another section": (
        {"findings": FINDINGS.replace("mean,0.21", "mean,74")},
        "findings.csv",
        3,
        "value '74' does not stand in technical › Results",
        "mend one",
    ),
    "a head count that isn't there": (
        {"findings": FINDINGS.replace(",30,", ",31,")},
        "findings.csv",
        2,
        "n '31' does not stand",
        "mend one",
    ),
    "a p-value that isn't there": (
        {"findings": FINDINGS.replace("<0.01", "<0.001")},
        "findings.csv",
        2,
        "p '<0.001' does not stand",
        "mend one",
    ),
    "an interval that isn't there": (
        {"findings": FINDINGS.replace("0.35,,,", "0.35,0.1,0.6,")},
        "findings.csv",
        2,
        "low '0.1' does not stand",
        "mend one",
    ),
    "unknown source": (
        {"findings": FINDINGS.replace("technical", "abstract")},
        "findings.csv",
        2,
        "source 'abstract' is not here",
        "use one of technical",
    ),
    "unknown section": (
        {"findings": FINDINGS.replace("Results", "Outcome")},
        "findings.csv",
        2,
        "technical has no section 'Outcome'",
        "it has 'Results', 'Limits'",
    ),
    "no measure": ({"findings": FINDINGS.replace("iron,", ",", 1)}, "findings.csv", 2, "measure is empty", "say what"),
    "latin-1 findings": (
        {"findings": FINDINGS.replace("Peru", "Perú").encode("latin-1")},
        "findings.csv",
        2,
        "0xfa is not UTF-8",
        "save the file as UTF-8",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_study_is_refused_with_file_line_and_what_to_do(case: str, corpus_folder: CorpusFolder) -> None:
    files, name, line, said, to_do = BROKEN[case]
    folder = corpus_folder.add(**files)
    with pytest.raises(CorpusError) as caught:
        read_corpus(corpus_folder.path)
    found = [p for p in caught.value.problems if said in p.message and to_do in p.message]
    assert found, str(caught.value)
    assert (found[0].file, found[0].line) == (folder / name if name else folder, line), str(caught.value)
    assert str(found[0]) in str(caught.value)


def test_two_folders_of_one_pmid_are_refused(corpus_folder: CorpusFolder) -> None:
    first, second = corpus_folder.add("1001"), corpus_folder.add("1002", study=TOML.format(pmid="1001"))
    with pytest.raises(CorpusError) as caught:
        read_corpus(corpus_folder.path)
    assert str(second / "study.toml") in str(caught.value) and f"is also {first}; remove one" in str(caught.value)


def test_all_problems_of_all_studies_are_said_at_once(corpus_folder: CorpusFolder) -> None:
    corpus_folder.add("1001", findings=FINDINGS.replace("0.35", "0.36").replace("44", "45"))
    corpus_folder.add("1002", study=None)
    corpus_folder.add("1003")
    corpus_folder.add("1004", technical=b"\xff", summary=b"\xfe")
    studies, problems = check_corpus(corpus_folder.path)
    assert [study.pmid for study in studies] == ["1003"]
    assert sorted((p.file.parent.name, p.file.name, p.line) for p in problems) == [
        ("1001", "findings.csv", 2),
        ("1001", "findings.csv", 3),
        ("1002", "study.toml", 0),
        ("1004", "summary.md", 1),
        ("1004", "technical.md", 1),
    ], "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "not a readable folder (No such file or directory)"),
        (lambda path: path.write_text("x"), "not a readable folder (Not a directory)"),
        (lambda path: path.mkdir(), "holds no study"),
    ],
    ids=["missing", "a file", "empty"],
)
def test_a_corpus_that_is_none_says_so(make: Callable[[Path], Any], said: str, tmp_path: Path) -> None:
    make(tmp_path / "corpus")
    with pytest.raises(CorpusError) as caught:
        read_corpus(tmp_path / "corpus")
    assert str(tmp_path / "corpus") in str(caught.value) and said in str(caught.value)


def test_hidden_folders_and_files_are_no_studies(corpus_folder: CorpusFolder) -> None:
    corpus_folder.add()
    (corpus_folder.path / ".git").mkdir()
    (corpus_folder.path / "README.txt").write_text("about")
    assert [study.pmid for study in read_corpus(corpus_folder.path).studies] == ["1001"]


def test_a_source_that_is_a_folder_or_a_dead_link_is_named(corpus_folder: CorpusFolder) -> None:
    folder = corpus_folder.add(findings=None)
    (folder / "summary.md").mkdir()
    os.symlink(folder / "nowhere", folder / "published.md")
    _, problems = check_corpus(corpus_folder.path)
    assert {p.file.name for p in problems} == {"summary.md", "published.md"}
    assert "cannot be read (Is a directory)" in str(problems[0]) and "is missing" in str(problems[1])


def test_records_are_frozen(study: Study) -> None:
    for record in (study, study.sources[0], study.sentences[0], study.findings[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, dataclasses.fields(record)[0].name, "1")
