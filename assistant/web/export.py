"""What a reader takes along: a conversation in Markdown, and a study's reference as BibTeX, RIS and CSL-JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from assistant.records import Answer, Citation, Study

SOURCES: Mapping[str, str] = {
    "summary": "study page, summary",
    "technical": "study page, technical part",
    "published": "published record",
    "study": "bibliographic record",
}
"""Names of the sources in running text."""
REFERENCE_FORMATS: Mapping[str, tuple[str, str]] = {
    "bibtex": ("bib", "application/x-bibtex"),
    "ris": ("ris", "application/x-research-info-systems"),
    "csl": ("json", "application/vnd.citationstyles.csl+json"),
}
"""File name ending and media type by format."""
_INITIALS = re.compile(r"(?P<family>.+) (?P<initials>[A-Z]{1,4})")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")


def turn(question: str, audience: str, answer: Answer, studies: Mapping[str, Study]) -> str:
    """Return a question and its reply as Markdown, for a file that holds a conversation."""
    return f"## {_plain(question)}\n\n*For a {_plain(audience)}.*\n\n{reply(answer, studies)}"


def reply(answer: Answer, studies: Mapping[str, Study]) -> str:
    """Return a reply and its sources as Markdown.

    Args:
        studies: The cited studies, by PMID.
    """
    parts = [answer.text.strip(), *(_quote(citation, studies.get(citation.pmid)) for citation in answer.citations)]
    return "\n\n".join(parts) + "\n"


def reference(study: Study, fmt: str) -> str:
    """Return a study's bibliographic record as "bibtex", "ris" or "csl" (a JSON array of one item).

    Raises:
        KeyError: The format is unknown.
    """
    return {"bibtex": _bibtex, "ris": _ris, "csl": _csl}[fmt](study)


def key(study: Study) -> str:
    """Return the name that reference managers file the study under: first author, year, PMID."""
    family = re.sub(r"[^A-Za-z]", "", _name(study.authors[0])["family"]) if study.authors else ""
    return f"{(family or 'study').lower()}{study.year or ''}_{study.pmid}"


def _quote(citation: Citation, study: Study | None) -> str:
    quote = "\n".join(f"> {_plain(line)}" for line in citation.quote.split("\n"))
    where = f"{SOURCES.get(citation.source, citation.source)}, {_plain(citation.section)}"
    doi = f", DOI {_plain(study.doi)}" if study and study.doi else ""
    return f"[{citation.number}] {where} (PMID {citation.pmid}{doi}) <{citation.url}>\n\n{quote}"


def _plain(text: str) -> str:
    """Return text on one line in which Markdown finds nothing to interpret."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _name(author: str) -> dict[str, str]:
    """Return an author in parts: "Karakochuk CD" is family "Karakochuk", given "C. D."; else all is family."""
    if "," in author:
        family, _, given = author.partition(",")
        return {"family": family.strip(), "given": given.strip()}
    found = _INITIALS.fullmatch(author.strip())
    if not found:
        return {"family": author.strip()}
    return {"family": found["family"], "given": " ".join(f"{letter}." for letter in found["initials"])}


def _fields(study: Study) -> dict[str, str]:
    """Return the record's plain fields, those that are there, each on one line."""
    fields = {
        "title": study.title,
        "journal": study.journal,
        "year": str(study.year or ""),
        "volume": study.volume,
        "number": study.issue,
        "pages": study.pages,
        "doi": study.doi,
        "url": study.url if study.url.startswith(("https://", "http://")) else "",
    }
    return {name: " ".join(value.split()) for name, value in fields.items() if value.strip()}


def _bibtex(study: Study) -> str:
    from bibtexparser.entrypoint import write_string
    from bibtexparser.library import Library
    from bibtexparser.middlewares import LatexEncodingMiddleware
    from bibtexparser.model import Entry, Field

    fields = {**_fields(study), "pmid": study.pmid}
    names = {f"author{at}": ", ".join(_name(author).values()) for at, author in enumerate(study.authors)}
    verbatim = {"doi", "url"}  # read as they are, by every style
    encoded = [Field(name, value) for name, value in {**fields, **names}.items() if name not in verbatim]
    library = LatexEncodingMiddleware().transform(Library([Entry("article", key(study), encoded)]))
    written = library.entries[0]
    parts = [field.value for name in names if (field := written.pop(name)) is not None]
    if parts:  # a name without a comma is a body's, and stays in one piece
        written.set_field(Field("author", " and ".join(part if "," in part else f"{{{part}}}" for part in parts)))
    written.set_field(Field("title", f"{{{written['title']}}}"))  # keeps its capitals
    for name in sorted(verbatim & set(fields)):
        written.set_field(Field(name, fields[name]))
    return str(write_string(library))


def _ris(study: Study) -> str:
    import rispy

    fields = _fields(study)
    names = {"journal": "journal_name", "pages": "start_page", "url": "urls"}
    entry: dict[str, Any] = {"type_of_reference": "JOUR", "id": key(study)}
    entry |= {names.get(name, name): [value] if name == "url" else value for name, value in fields.items()}
    entry["authors"] = [", ".join(_name(author).values()) for author in study.authors]
    entry["accession_number"] = study.pmid
    first, _, last = study.pages.partition("-")
    if last:
        entry |= {"start_page": first.strip(), "end_page": last.strip()}
    written = rispy.dumps([{name: value for name, value in entry.items() if value}])
    return re.sub(r"\A1\.\n", "", written)  # the library counts its entries; the format knows no count


def _csl(study: Study) -> str:
    fields = _fields(study)
    names = {"journal": "container-title", "number": "issue", "pages": "page", "doi": "DOI", "url": "URL"}
    item: dict[str, Any] = {"id": key(study), "type": "article-journal", "PMID": study.pmid}
    item |= {names.get(name, name): value for name, value in fields.items() if name != "year"}
    if study.authors:
        item["author"] = [_name(author) for author in study.authors]
    if study.year:
        item["issued"] = {"date-parts": [[study.year]]}
    return json.dumps([item], ensure_ascii=False, indent=2) + "\n"
