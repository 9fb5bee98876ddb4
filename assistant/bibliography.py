"""Questions about the record itself (title, authors, year, journal, DOI, where to read it) → cited drafts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from assistant.compose import Draft
from assistant.records import Sentence, Study

_NAMED = r"(?:study|paper|article|publication)"
_WORK = r"(?:study|paper|article|research|work|publication|it|this|that)"
_ASKS: Mapping[str, re.Pattern[str]] = {
    "title": re.compile(rf"\b(?:title|titled|called|name of (?:the|this) {_WORK}|full name)\b", re.I),
    "authors": re.compile(
        r"\bwho(?:['’]?s| is| are| were) (?:the )?(?:\w+ )?authors?\b"
        r"|\b(?:name|names|list|give|state|cite|tell) (?:me |us |of )?(?:all |the )*authors?\b(?! (?:say|said"
        r"|suggest|conclude"
        r"|recommend|think|find|found|report|mention|claim|note|argue|believe|call|warn|give|state)\w*)"
        r"|^\W*(?:the |study |paper )?authors?(?: names?| list)?\W*(?:$|(?:and|,|/|\+) )"
        r"|(?:\band |,|/)\s?authors?\W*$"
        rf"|\bwho (?:(?:actually|all) )?(?:wrote|did|ran|conducted|published|carried out|made|is behind|are "
        rf"behind|'s behind) (?:the |this )?{_WORK}\b"
        rf"|\bwho (?:are|were) the (?:scientists|researchers|people behind)|\b(?:scientists|researchers"
        rf"|people) (?:behind|who (?:wrote|did|ran))\b|\bwritten by\b"
        r"|\b(?:first|last|lead|senior|corresponding) author\b"
        r"|\b(?:first|last|lead|senior|main) (?:person|name|scientist|researcher|investigator) (?:(?:listed|named) )?"
        rf"(?:on|of|behind|in) (?:the |this )?(?:\w+ )?{_WORK}\b",
        re.I,
    ),
    "journal": re.compile(
        r"\b(?:what|which|name of the|(?<!in )the) (?:\w+ )?(?:journal|magazine|periodical)\b(?! (?:article|paper|sa))"
        r"|\bjournal\b(?=\W*(?:please|pls)?\W*$|,| name| title| and\b)"
        r"|\bwhere (?:was|is|did) (?:it|this|the \w+) (?:published|come out|appear\w*)\b"
        r"|\bpublished in (?:which|what)\b|\b(?:which|what) (?:volume|issue)\b(?! (?:of|did|do|is|was|with))"
        r"|\b(?:volume|issue)(?= (?:number|and (?:issue|page))\b)|\bvolume ?[,/] ?issue|\barticle number\b",
        re.I,
    ),
    "year": re.compile(
        rf"\b(?:what|which) year\b(?=.*\b(?:publi\w+|c[ao]me out|appear\w*|written|released|{_NAMED})\b"
        rf"| (?:is|was) (?:it|this|the {_NAMED}) from\b|\W*$)"
        rf"|\bis (?:this|it|the {_NAMED}) (?:\w+ )?(?:recent|new|old|up[- ]to[- ]date)(?=\W*(?:$|\?))"
        r"|\b(?:authors?|title|journal)\b[^.?!]{0,20}\byear\b"
        rf"|\bwhen (?:was|did|is) (?:the |this )?{_WORK}\b.{{0,12}}\b(?:published"
        rf"|come out|came out|written|appear|released|out)\b"
        r"|\b(?:publication|published) (?:date|year|when)\b|\bhow (?:old|recent|new) is (?:the|this) "
        r"(?:study|paper|article|research)\b|\byear of publication\b|\bdate of publication\b",
        re.I,
    ),
    "doi": re.compile(r"\bdoi\b|\bpmid\b|\bpubmed (?:id|number)\b", re.I),
    "links": re.compile(
        rf"\bwhere (?:can|could|do|might) (?:i|we|one|you|someone) (?:actually )?(?:read|see|download|look up)\b"
        rf"|\bwhere (?:can|could|do|might) (?:i|we|one|you|someone) (?:find|get|access) (?:the |this "
        rf")?(?:full |whole |original |actual )*{_NAMED}\b"
        r"|\blink\b(?! (?:between|with|to (?:the )?(?:baby|milk|mother|infant)))|\b(?:url|web ?address"
        r"|full[- ]?text|full paper|original (?:paper|study|article)|open access)\b"
        r"|\bread the (?:whole|full|actual|original|real)\b",
        re.I,
    ),
    "licence": re.compile(r"\blicen[cs]e[ds]?\b|\bcopyright\b|\breuse\b|\bcreative commons\b|\bcc by\b", re.I),
    "reference": re.compile(
        rf"\b(?:full |complete |proper )?(?:citation|bibliographic|bibtex)\b|\bhow (?:do|can|should|would) "
        rf"(?:i|we|one) (?:cite|reference)\b|\bcite (?:this|the|it)\b|\breference (?:for|of) (?:this|the) {_WORK}\b",
        re.I,
    ),
}


def fields_asked(question: str) -> tuple[str, ...]:
    """Return the fields of the record that a question asks for, in the order of the record."""
    asked = [name for name, pattern in _ASKS.items() if pattern.search(question)]
    if "reference" in asked:
        return ("title", "authors", "journal", "doi")
    return tuple(dict.fromkeys(asked))


def drafts(question: str, study: Study) -> list[Draft]:
    """Return a draft for each field asked for that the record has; none where the question asks for none."""
    made = (_SAY[name](study) for name in fields_asked(question))
    return [draft for draft in made if draft]


def _cite(study: Study, value: str) -> Sentence | None:
    """Return where a value of the record stands: in a source's text, else in `study.toml`."""
    for source in (*reversed(study.sources), study.record):
        start = source.text.find(value)
        if value and start >= 0:
            section = next((s.title for s in source.sections if s.start <= start < s.end), "Bibliographic record")
            return Sentence(study.pmid, source.name, section, value, start, start + len(value))
    return None


def _draft(study: Study, text: str, *values: str) -> Draft | None:
    cites = tuple(dict.fromkeys(found for value in values if (found := _cite(study, value))))
    return Draft(text, cites) if cites and all(values) else None


def _title(study: Study) -> Draft | None:
    return _draft(study, f"The study is titled “{study.title}”.", study.title)


def _authors(study: Study) -> Draft | None:
    if not study.authors:
        return None
    listed = ", ".join(study.authors)
    text = f"The authors are {listed}." if len(study.authors) > 1 else f"The author is {listed}."
    if _cite(study, listed):
        return _draft(study, text, listed)
    return _draft(study, text, ", ".join(f'"{name}"' for name in study.authors))


def _journal(study: Study) -> Draft | None:
    if not study.journal:
        return None
    details = [f"{word} {value}" for word, value in (("volume", study.volume), ("issue", study.issue)) if value]
    details += [f"article {study.pages}"] if study.pages else []
    line = f"{study.journal} {study.year}, {', '.join(details)}"
    text = f"It was published in {study.journal}"
    if study.year and details and _cite(study, line):
        return _draft(study, f"{text} in {study.year} ({', '.join(details)}).", line)
    return _draft(study, f"{text}.", study.journal)


def _year(study: Study) -> Draft | None:
    if not study.year:
        return None
    for source in study.sources:
        dated = re.search(rf"published on (\d{{1,2}} \w+ {study.year})", source.text)
        if dated:
            return _draft(study, f"It was published on {dated[1]}.", dated[0])
    return _draft(study, f"It was published in {study.year}.", f"year = {study.year}")


def _doi(study: Study) -> Draft | None:
    if not study.doi:
        return None
    return _draft(study, f"Its DOI is {study.doi} and its PMID is {study.pmid}.", study.doi, study.pmid)


def _links(study: Study) -> Draft | None:
    links = [url for url in study.links.values() if url]
    if not links:
        return _doi(study)
    return _draft(study, f"You can read it at {' or '.join(links)}.", *links)


def _licence(study: Study) -> Draft | None:
    return (
        _draft(study, f"It is published under the licence {study.licence}.", study.licence) if study.licence else None
    )


_SAY: Mapping[str, Callable[[Study], Draft | None]] = {
    "title": _title,
    "authors": _authors,
    "journal": _journal,
    "year": _year,
    "doi": _doi,
    "links": _links,
    "licence": _licence,
}
