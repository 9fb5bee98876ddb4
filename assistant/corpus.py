"""Corpus folder → studies: their record, sources, sentences and findings, checked."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from assistant.errors import CorpusError, Problem
from assistant.numerals import numbers
from assistant.records import RECORD, Finding, Section, Source, Study
from assistant.split import sections

Split = Callable[[str, str, str, str], tuple[Section, ...]]
"""Text, PMID, name of the source, title of what has none → sections."""
SOURCES = ("summary", "technical", "published")
_COLUMNS = tuple(field.name for field in fields(Finding) if field.name != "pmid")
_KEYS: dict[str, type] = {
    "pmid": str,
    "title": str,
    "authors": list,
    "journal": str,
    "year": int,
    "volume": str,
    "issue": str,
    "pages": str,
    "doi": str,
    "licence": str,
    "published": str,
    "submitted": str,
    "links": dict,
    "sources": dict,
}


@dataclass(frozen=True)
class Corpus:
    """The studies of a folder, in order of folder name."""

    studies: tuple[Study, ...]

    def study(self, pmid: str) -> Study:
        """Return a study by PMID.

        Raises:
            KeyError: There is no such study.
        """
        for study in self.studies:
            if study.pmid == pmid:
                return study
        raise KeyError(pmid)


def read_corpus(folder: Path, split: Split = sections) -> Corpus:
    """Return the studies under a folder, one subfolder each.

    Args:
        split: What makes sections of a text; see `split.sections`.

    Raises:
        CorpusError: Anything breaks the format; the error lists every problem of every study.
    """
    studies, problems = _read(folder, split)
    if problems:
        raise CorpusError(problems)
    return Corpus(tuple(studies))


def check_corpus(folder: Path) -> tuple[list[Study], list[Problem]]:
    """Return the studies that can be read, and every problem of those that can't."""
    return _read(folder, sections)


def _read(folder: Path, split: Split) -> tuple[list[Study], list[Problem]]:
    problems: list[Problem] = []
    studies: list[Study] = []
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as exc:
        return [], [Problem(folder, 0, f"not a readable folder ({exc.strerror}); set ASSISTANT_CORPUS to one")]
    if not folders:
        problems.append(Problem(folder, 0, "holds no study; add a folder with a study.toml and one source"))
    owners: dict[str, Path] = {}
    for path in folders:
        study, found = read_study(path, split)
        if study and study.pmid in owners:
            message = f"PMID {study.pmid} is also {owners[study.pmid]}; remove one of the two"
            found.append(Problem(path / "study.toml", 0, message))
        if study and not found:
            owners[study.pmid] = path
            studies.append(study)
        problems += found
    return studies, problems


def read_study(folder: Path, split: Split = sections) -> tuple[Study | None, list[Problem]]:
    """Return the study in a folder, or None where its record or sources can't be read, and its problems."""
    problems: list[Problem] = []
    record_text = _read_text(folder / "study.toml", problems, needed="every study has one, with pmid and title")
    record = _record(folder / "study.toml", record_text, problems) if record_text is not None else None
    if record is None:
        return None, problems
    pmid = record["pmid"]
    sources: list[Source] = []
    unread: set[str] = set()
    for name in SOURCES:
        path = folder / f"{name}.md"
        if path.exists() or path.is_symlink():
            text = _read_text(path, problems)
            if text is None:
                unread.add(name)
                continue
            found = split(text, pmid, name, name.capitalize())
            if not found:
                problems.append(Problem(path, 0, "holds no sentence; write its text or delete the file"))
            sources.append(Source(name, text, found))
    if not sources and not problems:
        names = ", ".join(f"{name}.md" for name in SOURCES)
        problems.append(Problem(folder, 0, f"has no source; add at least one of {names}"))
    readable = {source.name: source for source in sources}
    assert record_text is not None
    study = Study(
        pmid=pmid,
        title=record["title"],
        sources=tuple(sources),
        record=Source(RECORD, record_text, ()),
        findings=_findings(folder / "findings.csv", pmid, readable, unread, problems),
        authors=tuple(record.get("authors", ())),
        journal=record.get("journal", ""),
        year=record.get("year"),
        volume=record.get("volume", ""),
        issue=record.get("issue", ""),
        pages=record.get("pages", ""),
        doi=record.get("doi", ""),
        licence=record.get("licence", ""),
        links=record.get("links", {}),
        origins=record.get("sources", {}),
        folder=folder,
    )
    return study, problems


def content_hash(study: Study) -> str:
    """Return the SHA-256 of all that the study says, in hexadecimal."""
    digest = hashlib.sha256()
    for source in (*study.sources, study.record):
        digest.update(f"{source.name}\0{len(source.text)}\0{source.text}".encode())
    return digest.hexdigest()


def _read_text(path: Path, problems: list[Problem], needed: str = "") -> str | None:
    """Return a file's canonical text, or None after noting what is wrong with it."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        problems.append(Problem(path, 0, f"is missing; {needed or 'restore it'}"))
        return None
    except OSError as exc:
        problems.append(Problem(path, 0, f"cannot be read ({exc.strerror}); check its permissions"))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        problems.append(Problem(path, line, f"byte {raw[exc.start]:#04x} is not UTF-8; save the file as UTF-8"))
        return None
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    for number, line_text in enumerate(text.split("\n"), 1):
        bad = next((c for c in line_text if unicodedata.category(c) == "Cc" and c != "\t"), None)
        if bad:
            problems.append(Problem(path, number, f"holds the control character U+{ord(bad):04X}; delete it"))
            return None
    return text


def _record(path: Path, text: str, problems: list[Problem]) -> dict[str, Any] | None:
    """Return the keys of a study.toml, or None after noting what is wrong with it."""
    try:
        record = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        line = getattr(exc, "lineno", 0) or _line_in(str(exc))
        problems.append(Problem(path, line, f"is not TOML: {exc}; mend that line"))
        return None
    before = len(problems)
    for key in ("pmid", "title"):
        if not str(record.get(key, "")).strip():
            problems.append(Problem(path, 0, f'has no {key}; add {key} = "…"'))
    if isinstance(record.get("pmid"), int):
        record["pmid"] = str(record["pmid"])
    for key, value in record.items():
        line = next((n for n, entry in enumerate(text.split("\n"), 1) if entry.lstrip(" [").startswith(key)), 0)
        if key not in _KEYS:
            problems.append(Problem(path, line, f"unknown key {key!r}; the known ones are {', '.join(_KEYS)}"))
        elif not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            problems.append(Problem(path, line, f"{key} is {value!r}, expected {_KEYS[key].__name__}"))
        elif not all(isinstance(item, str) for item in _items(value)):
            problems.append(Problem(path, line, f"{key} is {value!r}, expected texts in it"))
        elif key == "pmid" and not re.fullmatch(r"[A-Za-z0-9]+", str(value)):
            problems.append(Problem(path, line, f"pmid is {value!r}, expected digits (or ASCII letters and digits)"))
    return None if len(problems) > before else record


def _items(value: object) -> Iterable[object]:
    """Return what a list or a table holds, nothing for a single value."""
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _line_in(message: str) -> int:
    """Return the line that a TOML error names, or 0."""
    head = message.rpartition("line ")[2].partition(",")[0]
    return int(head) if head.isdigit() else 0


def _findings(
    path: Path, pmid: str, sources: Mapping[str, Source], unread: Collection[str], problems: list[Problem]
) -> tuple[Finding, ...]:
    """Return the rows of findings.csv, noting those that don't hold; rows of a source that can't be read are let be."""
    if not path.exists():
        return ()
    text = _read_text(path, problems)
    if text is None:
        return ()
    reader = csv.DictReader(io.StringIO(text))
    header = tuple(reader.fieldnames or ())
    unknown, missing = sorted(set(header) - set(_COLUMNS)), sorted(set(_COLUMNS) - set(header))
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if unknown or missing or twice:
        said = [f"unknown column {name!r}" for name in unknown] + [f"no column {name!r}" for name in missing]
        said += [f"column {name!r} stands twice" for name in twice]
        problems.append(Problem(path, 1, f"{'; '.join(said)}; the columns are {','.join(_COLUMNS)}"))
        return ()
    findings = []
    for row in reader:
        if row["source"] in unread:
            continue
        finding = _finding(path, reader.line_num, pmid, row, sources, problems)
        if finding:
            findings.append(finding)
    return tuple(findings)


def _finding(
    path: Path, line: int, pmid: str, row: Mapping[str, Any], sources: Mapping[str, Source], problems: list[Problem]
) -> Finding | None:
    """Return one row as a finding, or None after noting what is wrong with it."""
    if None in row or None in row.values():
        problems.append(Problem(path, line, f"has another number of cells than the {len(_COLUMNS)} columns"))
        return None
    cells = {name: str(row[name]).strip() for name in _COLUMNS}
    before = len(problems)
    figures: dict[str, float | None] = {}
    for name in ("n", "value", "low", "high"):
        try:
            figures[name] = _figure(cells[name], whole=name == "n")
        except ValueError as exc:
            problems.append(Problem(path, line, f"{name} is {cells[name]!r}, expected {exc} or nothing"))
    source = sources.get(cells["source"])
    section = next((s for s in source.sections if s.title == cells["section"]), None) if source else None
    if source is None:
        problems.append(Problem(path, line, f"source {cells['source']!r} is not here; use one of {', '.join(sources)}"))
    elif section is None:
        titles = ", ".join(repr(s.title) for s in source.sections)
        problems.append(Problem(path, line, f"{source.name} has no section {cells['section']!r}; it has {titles}"))
    else:
        standing = {number.value for number in numbers(source.text[section.start : section.end])}
        for name in ("n", "value", "low", "high", "p"):
            cell = cells[name].lstrip("<>=≤≥ -−")
            try:
                absent = _figure(cell) is not None and Decimal(cell) not in standing
            except ValueError:
                absent = True
            if absent and not any(p.line == line and p.message.startswith(f"{name} is") for p in problems[before:]):
                place = f"{source.name} › {section.title}"
                problems.append(Problem(path, line, f"{name} {cells[name]!r} does not stand in {place}; mend one"))
    for name in ("measure", "who"):
        if not cells[name]:
            problems.append(Problem(path, line, f"{name} is empty; say what was measured, and in whom"))
    if len(problems) > before:
        return None
    n = figures["n"]
    return Finding(
        pmid,
        cells["measure"],
        cells["who"],
        cells["cohort"],
        None if n is None else int(n),
        cells["statistic"],
        figures["value"],
        figures["low"],
        figures["high"],
        cells["unit"],
        cells["p"],
        cells["source"],
        cells["section"],
    )


def _figure(cell: str, *, whole: bool = False) -> float | None:
    """Return a cell's number, or None where it is empty; `ValueError` says what was expected."""
    if not cell:
        return None
    expected = "a whole number" if whole else "a number"
    try:
        value = Decimal(cell)
    except ArithmeticError:
        raise ValueError(expected) from None
    if not value.is_finite() or (whole and value != int(value)):
        raise ValueError(expected)
    return float(value)
